"""Clicks that change little of the page: what is drawn again, what reaches the run, and when all is drawn."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from app import text
from engine.frame import RunPhase
from engine.preset import load_preset
from tests.app.conftest import opened, slot, widgets
from tests.fakes import at_step

pytestmark = pytest.mark.usefixtures("pool")
OWN = {"preset": "remember", "hidden_size": "16"}  # not the lesson's network any more


def clicked(page: AppTest, key: str, value: object = None) -> bool:
    """Change a widget or press a button, and run the script once; True if the whole page was drawn."""
    widget = widgets(page)[key]
    widget.click() if value is None else widget.set_value(value)
    page.run()
    assert not page.exception
    return bool(page.title)


def test_a_rate_changes_the_run_the_words_on_it_and_the_link_and_nothing_else_is_drawn(pool):
    page = opened(**OWN)
    assert not clicked(page, "learning_rate", 0.01)
    assert pool.runs[0].calls[-1] == ("update", {"learning_rate": 0.01}) and len(pool.runs) == 1
    (line,) = page.markdown
    assert ":blue-badge[learning rate 0.01]" in line.value and page.query_params["learning_rate"] == "0.01"
    assert [each.value for each in page.caption] == [text.escaped(text.summary(slot().experiment))]
    page.run()
    assert page.title and widgets(page)["learning_rate"].value == 0.01 and len(pool.runs) == 1


@pytest.mark.parametrize(
    ("link", "key", "value"),
    [
        ({"preset": "remember"}, "learning_rate", 0.01),  # the lesson is left
        (OWN | {"learning_rate": "seven"}, "learning_rate", 0.01),  # a warning goes
        (OWN, "clip", "none"),  # another setting has no effect then
        (OWN, "batch_size", 8),  # Compare shares it
        (OWN, "hidden_size", 24),  # another network
        (OWN | {"slow": "1"}, "learning_rate", 0.01),  # in a mode of the stage
    ],
    ids=str,
)
def test_what_changes_more_of_the_page_has_all_of_it_drawn(link, key, value):
    page = opened(**link)
    assert clicked(page, key, value)
    assert getattr(slot().experiment, key) == value


def test_a_change_by_which_the_lesson_is_done_has_the_page_drawn():
    page = opened(**OWN)
    slot().run.frame = at_step(9)
    slot().page_waits_for = lambda frame: "task" if slot().experiment.learning_rate == 0.01 else ""
    assert not clicked(page, "learning_rate", 0.001)
    page.run()
    slot().page_waits_for = lambda frame: "task" if slot().experiment.learning_rate == 0.01 else ""
    assert clicked(page, "learning_rate", 0.01)


def next_button(page: AppTest) -> str:
    (marker,) = [each.proto.body for each in page.get("html") if 'class="next-' in each.proto.body]
    return marker.split('"')[1]


def test_train_pause_and_step_mark_the_next_button_alone():
    page = opened(**OWN)
    assert next_button(page) == "next-pause"
    assert not clicked(page, "pause") and next_button(page) == "next-train" and slot().paused
    page.run()
    assert not clicked(page, "train") and next_button(page) == "next-pause" and not slot().paused
    page.run()
    assert not clicked(page, "step") and slot().paused


def test_buttons_that_change_more_have_the_whole_page_drawn():
    page = opened(**OWN)
    assert clicked(page, "reset")
    slot().run.phase = RunPhase.FINISHED
    page.run()
    assert clicked(page, "train")  # it is no longer among the runs that are over
    page = opened(preset="remember")
    assert load_preset("remember").predict and clicked(page, "train")  # the question beside it goes
