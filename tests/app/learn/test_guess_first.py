"""A lesson that asks for a guess waits until it was made or skipped, once in a tab."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from app.learn import text as learn_text
from engine.preset import load_preset
from tests.app.conftest import opened, press, run, slot, turn, warnings
from tests.fakes import at_step

pytestmark = pytest.mark.usefixtures("pool")


def is_asked(page: AppTest) -> bool:
    """The page says beside Train that a guess comes first."""
    said = any(learn_text.GUESS_FIRST in each.value for each in page.main.markdown)
    assert said == ("skip_guess" in {each.key for each in page.button})
    return said


def test_such_a_lesson_opens_paused_and_says_why(pool):
    page = opened(preset="remember")
    assert slot().paused and pool.runs[0].opened["paused"] and is_asked(page) and not warnings(page)
    page = opened(preset="dates")  # asks nothing
    assert not is_asked(page)


def test_skipped_it_trains_and_in_this_tab_it_does_not_wait_again(pool):
    page = press(opened(preset="remember"), "skip_guess")
    assert not slot().paused and not is_asked(page) and pool.runs[0].calls == [("resume", None)]
    assert page.sidebar.radio  # the question can still be answered
    press(page, "next_lesson")
    assert slot().paused and is_asked(page)  # another lesson
    press(page, "previous_lesson")
    assert not slot().paused and not is_asked(page)


@pytest.mark.parametrize("place", ["", "_here"], ids=["in the lesson", "beside Train"])
def test_the_guess_starts_the_run_and_in_this_tab_the_lesson_does_not_wait_again(pool, place):
    page = opened(preset="remember")
    (radio,) = [each for each in page.radio if each.key == f"guess{place}_remember_0"]
    radio.set_value(2)
    press(run(page), f"run_it{place}_0")
    assert not slot().paused and not is_asked(page) and len(pool.runs) == 2
    press(press(page, "next_lesson"), "previous_lesson")
    assert not slot().paused and not is_asked(page)


@pytest.mark.parametrize("button", ["train", "step"])
def test_who_trains_without_a_guess_has_skipped_it(button):
    page = press(opened(preset="remember"), button)
    assert not is_asked(page) and slot().paused == (button == "step")
    press(press(page, "next_lesson"), "previous_lesson")
    assert not slot().paused


def test_settings_changed_while_it_waits_do_not_start_it(pool):
    page = opened(preset="remember", speed="max")
    assert slot().paused and is_asked(page)
    page.number_input(key="seed").set_value(3)
    run(page)
    assert slot().experiment.seed == 3 and slot().paused and is_asked(page)


def test_a_change_that_the_lesson_offers_starts_as_it_always_did():
    page = press(opened(preset="remember"), "next_0")
    assert not slot().paused and not is_asked(page)


@pytest.mark.parametrize("link", [
    {"hidden_size": "64"}, {"then": "300~learning_rate~0.01"}, {"hide": "lesson"},
], ids=str)  # fmt: skip
def test_a_link_that_shows_something_else_than_the_question_trains_at_once(pool, link):
    page = opened(preset="remember", **link)
    assert not slot().paused and not is_asked(page) and not warnings(page)


def test_a_link_to_a_step_opens_there_and_asks_nothing(pool):
    page = opened(preset="remember", at="300")
    assert pool.runs[0].opened == {"paused": True, "speed": 25.0, "until": 300} and not is_asked(page)


def test_a_link_of_settings_alone_has_no_lesson_and_trains():
    page = opened(task="first_symbol_recall", cell="rnn")
    assert not slot().paused and not is_asked(page)


def test_a_class_is_asked_in_presentation_mode_too():
    page = press(opened(preset="remember"), "present")
    assert is_asked(page) and slot().paused
    assert is_asked(opened(preset="remember", present="1"))


def test_a_run_that_was_found_under_way_is_not_held_up(pool):
    page = opened(preset="remember")
    pool.runs[0].frame = at_step(40)
    assert not is_asked(run(page))


def test_back_from_another_page_it_still_waits(pool):
    page = opened(preset="remember")
    link = dict(page.query_params)
    turn(turn(page, "learn"), "playground", **link)
    assert len(pool.runs) == 1 and slot().paused and is_asked(page)


def test_a_lesson_that_waits_by_itself_asks_too_and_goes_on_waiting_after_that():
    preset = load_preset("explode")
    assert preset.paused and preset.predict
    page = press(opened(preset="explode"), "next_lesson")
    page = press(page, "previous_lesson")
    assert slot().paused and is_asked(page)
