"""A guess, a run and what it reveals; lessons that are done; links that act; a teacher's own lesson."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from streamlit.runtime.caching.cache_resource_api import clear_session_cache
from streamlit.testing.v1 import AppTest

from app import tab, text
from app.hub import HUB
from app.learn import progress, setting_links
from app.learn import text as learn_text
from app.learn.progress import Progress
from engine.experiment import Experiment
from engine.frame import Diagnosis, Frame
from engine.preset import load_preset
from tests.app.conftest import SESSION, move, opened, press, run, slot, turn, warnings, widgets
from tests.app.learn.conftest import BUGS, LESSONS, bodies, cards, page_links
from tests.fakes import FakePool, untrained_frame

pytestmark = pytest.mark.usefixtures("pool")


def looked(step: int, kind: str = "healthy") -> Frame:
    return dataclasses.replace(untrained_frame(), step=step, diagnosis=Diagnosis(kind, "", {"ratio": 1.0}, {}))


def shows(page: AppTest, pool: FakePool, step: int, kind: str = "healthy") -> str:
    """The newest run shows this frame; what the sidebar says once that was looked at, and the page drawn anew."""
    pool.runs[-1].frame = looked(step, kind)
    pool.runs[-1].frames = (pool.runs[-1].frame,)
    run(run(page))
    return "\n".join(each.value for each in page.sidebar.markdown)


def guess(page: AppTest, answer: int) -> AppTest:
    page.sidebar.radio[0].set_value(answer)
    return press(run(page), "run_it_0")


@pytest.mark.parametrize("answer", [0, 2], ids=["wrong", "right"])
def test_nothing_is_revealed_before_the_guess_and_the_run(pool, answer):
    (asked,) = load_preset("remember").predict
    page = opened(preset="remember")
    assert page.button(key="run_it_0").disabled and asked.because not in shows(page, pool, 2999)
    before = slot().run
    guess(page, answer)
    assert slot().run is not before and not slot().paused  # a run of its own, from step 0
    assert asked.because not in shows(page, pool, 299)
    message = shows(page, pool, 300)
    assert asked.because in message and asked.answers[2] in message
    assert (f"{learn_text.YOUR_GUESS}: right" in message) == (answer == 2)
    assert (asked.answers[0] in message) == (answer == 0)
    assert "run_it_0" not in {each.key for each in page.button} and not page.radio
    press(page, "next_lesson")
    press(page, "previous_lesson")
    assert asked.because in shows(page, pool, 0)


def test_another_run_than_the_one_asked_for_reveals_nothing(pool):
    (asked,) = load_preset("wave").predict
    page = guess(opened(preset="wave"), 2)
    assert slot().experiment.cell == "feedforward"
    move(page, "hidden_size", 8)
    assert asked.because not in shows(page, pool, 999)
    assert learn_text.CHANGED in [each.value for each in page.sidebar.caption]
    move(press(page, "run_it_0"), "seed", 5)
    assert slot().experiment.hidden_size == 16 and asked.because in shows(page, pool, 999)


def test_a_run_that_waits_is_set_going_once_it_is_there(pool):
    page = guess(opened(preset="explode"), 2)
    assert slot().paused
    shows(page, pool, 0)
    assert not slot().paused and load_preset("explode").predict[0].because in shows(page, pool, 1, "dead")


def test_a_lesson_that_was_done_gets_its_tick_also_in_another_session_of_this_browser(pool, monkeypatch):
    monkeypatch.setattr(progress, "PROGRESS", Progress())
    monkeypatch.setattr(progress, "_browser", lambda: "ann")
    preset = load_preset("default-lstm")
    page = opened(preset="default-lstm")
    assert "To do" in shows(page, pool, 0)  # healthy, but not with the settings that are asked for
    press(page, "next_2")
    assert slot().experiment.forget_bias == 3.0
    assert learn_text.task(preset, False) in shows(page, pool, 0, "vanished")
    assert learn_text.task(preset, True) in shows(page, pool, 0)
    clear_session_cache(SESSION)
    page = turn(opened(), "learn")
    (ticked,) = bodies(page, 'class="tick"')
    assert preset.question in ticked
    assert [body for body in bodies(page, 'class="chapter"') if "1 of 4 done" in body and preset.chapter in body]
    assert page_links(page)[0].proto.label == f"{learn_text.CONTINUE}: {text.preset(LESSONS[0])}"
    monkeypatch.setattr(progress, "_browser", lambda: "bob")
    clear_session_cache(SESSION)
    assert bodies(run(page), 'class="tick"') == []


def sends(monkeypatch, **cookies: str) -> None:
    """The browser sends these cookies with the next session."""
    monkeypatch.setattr(type(progress.st.context), "cookies", property(lambda _: cookies))
    clear_session_cache(SESSION)


def ticked(page: AppTest) -> int:
    return len(bodies(page, 'class="tick"'))


def test_what_the_browser_has_kept_is_done_after_a_restart_of_the_server_and_can_be_forgotten(monkeypatch):
    monkeypatch.setattr(progress, "PROGRESS", Progress())
    sends(monkeypatch, playground="ann", lessons_done="wave.xor.no-such-lesson.<script>.")
    page = turn(opened(), "learn")
    assert ticked(page) == 2 and progress.PROGRESS.of("ann") == {"wave", "xor", "no-such-lesson"}
    sends(monkeypatch, playground="ann")  # a second tab, opened before the first one wrote its cookie
    assert ticked(run(page)) == 2
    press(page, "forget_lessons")
    assert ticked(page) == 0 and progress.PROGRESS.of("ann") == frozenset()
    assert "forget_lessons" not in {each.key for each in page.button}


def test_a_browser_without_the_servers_cookie_keeps_what_it_has_done_to_itself(monkeypatch):
    monkeypatch.setattr(progress, "PROGRESS", Progress())
    sends(monkeypatch, lessons_done="wave")
    assert ticked(turn(opened(), "learn")) == 1 and progress.PROGRESS.of("") == frozenset()


def test_what_a_browser_has_done_is_bounded_and_the_longest_ago_forgotten_first():
    seen_by = Progress(max_browsers=2)
    for browser, slug in (("ann", "wave"), ("bob", "xor"), ("ann", "xor"), ("eve", "wave")):
        seen_by.add(browser, slug)
    assert [seen_by.of(each) for each in ("ann", "bob", "eve")] == [{"wave", "xor"}, frozenset(), {"wave"}]


def test_a_link_of_the_prose_leads_where_it_acts(monkeypatch):
    preset = load_preset("remember-lstm")
    for act in learn_text.setting_links_of(preset):
        page = opened(**dict(each.split("=") for each in act.address.removeprefix("/?").split("&")))
        assert warnings(page) == [] and widgets(page)["preset"].value == preset.slug
        assert HUB._slots[-1].experiment == preset.experiment.replace(**act.settings)
    monkeypatch.setattr(tab, "pressed", lambda _: {"link": act.address})
    assert setting_links.pressed([preset]) == act and setting_links.pressed([load_preset("wave")]) is None


# ---- a teacher's lesson


TEACHERS = """+++
order = 1
title = "Mine"
question = "Does it work?"
look_for = "Look."
paused = true

[experiment]
task = "adding"

[done]
says = "Make 5 updates."
step = 5
+++
Now [make it narrow](set:hidden_size=4).
"""


def test_a_teachers_lesson_appears_runs_and_is_done_and_a_bad_file_is_named(pool, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_LESSONS", str(tmp_path))
    page = turn(opened(), "learn")
    assert cards(page)[-1] == BUGS[-1].slug
    (tmp_path / "mine.md").write_text(TEACHERS)
    (tmp_path / "bad.md").write_text(TEACHERS.replace("step = 5", "stop = 5"))
    run(page)
    assert cards(page)[-1] == "mine" and learn_text.TEACHER in bodies(page, 'class="chapter"')[-1]
    (message,) = warnings(page)
    assert "bad.md" in message and "stop is not a key" in message.replace("\\", "")
    turn(page, "playground", preset="mine")
    assert page.title[0].value == "Does it work?" and slot().experiment == Experiment(task="adding")
    assert page.sidebar.caption[0].value == "Lesson 1 of 1" and page.button(key="next_lesson").disabled
    assert "To do" in shows(page, pool, 4) and "Done" in shows(page, pool, 5)
    (tmp_path / "mine.md").unlink()
    run(page)
    assert page.title[0].value == "Does it work?"
    assert cards(turn(page, "learn"))[-1] == BUGS[-1].slug
