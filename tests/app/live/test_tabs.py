"""The tabs of figures: few in each, none missing, a lesson's own first."""

from __future__ import annotations

from app.figures import applicable
from app.figures.base import TABS
from app.live.tabs import LESSON, ON_THE_STAGE, tabs
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.preset import list_presets, load_preset
from tests.app.figures.conftest import CASES, over, seen

MOST = 4


@over(CASES)
def test_every_figure_is_in_one_tab_of_few(case):
    info = seen(case)[0]
    found = tabs(info, None)
    names = [name for tab in found for name in tab["figures"]]
    assert sorted(names) == sorted(set(applicable(info)) - {ON_THE_STAGE})
    assert [tab["name"] for tab in found] == [name for name in TABS if name in {tab["name"] for tab in found}]
    assert all(0 < len(tab["figures"]) <= MOST for tab in found)


def test_a_lessons_own_figures_come_first():
    for lesson in list_presets():
        info = RunInfo.of(lesson.experiment)
        first, *rest = tabs(info, lesson)
        assert first["name"] == LESSON
        assert first["figures"] == [name for name in lesson.figures if name != ON_THE_STAGE], lesson.slug
        assert rest == tabs(info, None)


def test_other_data_may_leave_a_lesson_no_tab():
    lesson = load_preset("words")  # its map of words needs an embedding
    info = RunInfo.of(Experiment(task="sine", rnn_type="many_to_many"))
    assert all("embedding" not in tab["figures"] for tab in tabs(info, lesson))
