"""The buttons of the playground."""

from __future__ import annotations

import itertools

import pytest

from app import state
from tests.app.conftest import opened, press, slot, widgets
from tests.fakes import FakeRun


def test_the_buttons_reach_the_run(pool):
    page = opened()
    first: FakeRun = pool.runs[0]
    for key, call in (
        ("pause", [("pause", None)]),
        ("train", [("resume", None)]),
        ("step", [("pause", None), ("advance", 1)]),
        ("step", [("advance", 1)]),
    ):
        first.calls.clear()
        press(page, key)
        assert first.calls == call, key
    assert len(pool.runs) == 1


def test_reset_goes_back_to_step_0_and_waits(pool):
    page = opened()
    first = pool.runs[0]
    press(page, "reset")
    assert first.calls[-1] == ("stop", None) and len(pool.runs) == 2
    assert pool.runs[1].experiment == first.experiment and pool.runs[1].opened["paused"]
    assert press(page, "train") and pool.runs[1].calls == [("resume", None)]


def test_a_new_seed_is_another_run(pool, monkeypatch):
    page = opened(preset="remember", seed="5")
    monkeypatch.setattr(state.random, "randrange", lambda stop: stop - 1)
    press(page, "new_seed")
    assert len(pool.runs) == 2 and slot().experiment == pool.runs[0].experiment.replace(seed=9999)
    assert widgets(page)["seed"].value == 9999 and page.query_params == {"preset": "remember", "seed": "9999"}


def test_a_new_seed_is_never_the_present_one(pool, monkeypatch):
    page = opened(seed="4")
    draws = itertools.chain([4, 4], itertools.count(8))
    monkeypatch.setattr(state.random, "randrange", lambda stop: next(draws))
    press(page, "new_seed")
    assert slot().experiment.seed != 4


@pytest.mark.parametrize(
    ("first", "loud"), [({"preset": "dates"}, "pause"), ({"preset": "explode"}, "train")], ids=["runs", "waits"]
)
def test_what_is_to_be_done_next_stands_out(pool, first, loud):
    page = opened(**first)
    marks = [each.proto.body for each in page.get("html") if each.proto.body.startswith("<span class")]
    assert marks == [f'<span class="next-{loud}"></span>']
