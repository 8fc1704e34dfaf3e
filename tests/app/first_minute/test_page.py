"""The page "The first minute" and its socket, over runs without workers; and who is shown it unasked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app import tab
from app.first_minute import component, visit
from app.first_minute import page as first_page
from app.first_minute import text as first_text
from app.first_minute.feed import FirstMinuteFeed
from app.first_minute.registry import RACES
from app.first_minute.setup import UPDATES, FirstMinute
from app.race.lanes import Race
from engine.frame import RunPhase
from tests.app.conftest import LIMIT, MAIN, Session, opened, run, slot, turn, warnings
from tests.app.live.conftest import header_of
from tests.fakes import FakeLanePool as FakePool


@pytest.fixture
def raced(monkeypatch) -> FakePool:
    """The runs of the first minute, without workers."""
    made = FakePool()
    monkeypatch.setattr(RACES, "_pool", lambda: made)
    monkeypatch.setattr(RACES, "_slots", [])
    return made


def entered(**link: str) -> AppTest:
    return turn(AppTest.from_file(str(MAIN), default_timeout=LIMIT), "first", **link)


def words_of(pool: FakePool) -> list[int]:
    """The words in between of the networks that still train."""
    return [each.experiment.seq_len - 4 for each in pool.runs if not each.stopped]


# ---- who is shown it unasked


@pytest.fixture
def newcomer(monkeypatch, pool) -> None:
    """A browser without cookies."""
    monkeypatch.setattr(visit, "known", lambda cookies, names: False)


def test_a_first_visit_opens_the_first_minute_paused(newcomer, pool, raced):
    page = run(AppTest.from_file(str(MAIN), default_timeout=LIMIT))
    assert [title.value for title in page.title] == [first_text.QUESTION] and not pool.runs
    assert words_of(raced) == [0, 0] and all(each.step == 0 for each in raced.runs)
    assert page.query_params == {"words": "0"} and not page.sidebar.children


def test_the_playground_opened_afterwards_in_the_same_tab_is_the_playground(newcomer, pool, raced):
    page = run(AppTest.from_file(str(MAIN), default_timeout=LIMIT))
    turn(page, "")
    assert len(pool.runs) == 1 and slot().experiment.task == "first_symbol_recall"


def test_another_page_first_is_no_reason_to_interrupt_later(newcomer, pool, raced):
    page = turn(AppTest.from_file(str(MAIN), default_timeout=LIMIT), "learn")
    turn(page, "")
    assert len(pool.runs) == 1 and not raced.runs


@pytest.mark.parametrize("link", [{"preset": "xor"}, {"cell": "gru"}, {"task": "themselves", "seq_len": "4"}], ids=str)
def test_it_never_comes_between_a_link_and_its_page(newcomer, pool, raced, link):
    opened(**link)
    assert len(pool.runs) == 1 and not raced.runs


def test_a_browser_that_was_here_before_sees_the_playground(pool, raced):
    opened()
    assert len(pool.runs) == 1 and not raced.runs


def test_a_cookie_says_that_a_browser_was_here_before():
    names = (visit.COOKIE, "lessons_done")
    assert not visit.known({"playground": "x"}, names)  # the server sets this one with the very first page
    assert visit.known({"first_minute": "1"}, names) and visit.known({"lessons_done": "xor"}, names)


# ---- the page


def test_a_link_opens_it_at_its_words_and_a_bad_one_is_said(pool, raced):
    page = entered(words="12")
    assert words_of(raced) == [12, 12] and page.query_params == {"words": "12"} and not warnings(page)
    page = turn(page, "first", words="many")
    assert warnings(page) == [first_text.WORDS_REFUSED.format(got="many", most=30, shown=12)]
    assert words_of(raced) == [12, 12] and page.query_params == {"words": "12"}


def test_the_playgrounds_run_rests_meanwhile(pool, raced):
    turn(opened(hidden_size="4", seq_len="6", cell="lstm"), "first")
    assert slot().paused


def test_learn_leads_there(pool, raced):
    page = turn(AppTest.from_file(str(MAIN), default_timeout=LIMIT), "learn")
    assert first_text.TITLE in [link.proto.label for link in page.get("page_link")]


@pytest.fixture
def tab_with(monkeypatch, raced):
    """A tab whose race has this many words, and what somebody does in it: tab_with(words) -> (slot, press)."""
    monkeypatch.setattr(tab.st, "session_state", Session())

    def make(words: int) -> Any:
        current = RACES.attach("", FirstMinute(words))
        tab.store(first_page.SLOT, current)
        tab.store(first_page.WORDS, words)
        monkeypatch.setattr(first_page, "_attached", lambda owner, setup, slot: current)

        def press(**what: Any) -> Race:
            tab.store(component.KEY, {"press": what})
            first_page.on_press()
            return first_page.slot_of(FirstMinute(tab.load(first_page.WORDS))).race

        return current, press

    return make


def test_one_button_plays_and_pauses(tab_with):
    current, press = tab_with(0)
    assert current.race.paused
    assert not press(order="play").paused and press(order="pause").paused


def test_the_slider_moved_before_it_was_played_waits_and_afterwards_starts_both_again(tab_with, raced):
    _, press = tab_with(0)
    assert press(words=5).paused and words_of(raced) == [5, 5]
    first = press(order="play")
    first.step = 3
    again = press(words=20)
    assert again is not first and not again.paused and again.step == 0 and words_of(raced) == [20, 20]


@pytest.mark.parametrize("what", [{}, {"words": 31}, {"words": None}, {"order": "stop"}], ids=str)
def test_what_the_browser_cannot_have_meant_changes_nothing(tab_with, raced, what):
    current, press = tab_with(7)
    before = current.race
    assert press(**what) is before and before.paused


# ---- its socket


def driven(race: Race, pool: FakePool, turns: int) -> list[dict[str, Any]]:
    """Somebody looks at the race while its runs work: the status after each turn."""
    feed, said = FirstMinuteFeed(race), []
    feed.receive(json.dumps({"stages": []}))
    for _ in range(turns):
        for each in pool.runs:
            each.work()
        feed.advance(requested=True)
        message = feed.frame() or feed.news()
        if message is not None:
            said.append(header_of(message)[0])
    return said


def test_the_race_stops_by_itself_when_both_have_their_result(raced):
    race = Race(raced, FirstMinute(0), clock=iter(range(10**6)).__next__)  # type: ignore[arg-type]
    assert driven(race, raced, 3)[-1]["status"]["button"] == first_text.PLAY
    race.train()
    middle = driven(race, raced, 3)[-1]
    assert middle["status"]["button"] == first_text.PAUSE and not middle.get("conclusion")
    *_, last = driven(race, raced, 400)
    said = header_of(FirstMinuteFeed(race).frame())[0]
    assert race.paused and [each.step for each in raced.runs] == [UPDATES] * 2
    assert said["status"] == last["status"] and said["status"]["phase"] == str(RunPhase.FINISHED)
    assert said["status"]["button"] == first_text.AGAIN
    assert "both have their result" in said["status"]["clock"] and said["conclusion"].startswith("Neither")


def test_it_stops_early_where_both_have_learned_it(raced, monkeypatch):
    race = Race(raced, FirstMinute(0), clock=iter(range(10**6)).__next__)  # type: ignore[arg-type]
    race.train()
    monkeypatch.setattr(first_text, "has_result", lambda lane: lane.frame.step >= 30)
    driven(race, raced, 400)
    assert race.paused and 30 <= raced.runs[0].step < UPDATES
