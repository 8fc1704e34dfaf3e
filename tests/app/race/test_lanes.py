"""A race without workers: lockstep, what becomes of a lane that breaks or ends, and who has which race."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from app.compare import text as compare_text
from app.race.lanes import Race
from app.race.registry import RaceRegistry
from app.slot_registry import FORGET_AFTER
from engine.frame import RunPhase
from tests.fakes import SMALL_LANE, race_setup
from tests.fakes import FakeLanePool as FakePool


@pytest.fixture
def race() -> SimpleNamespace:
    """A race of three, its runs, and a clock that stands still until it is moved."""
    pool, clock = FakePool(), SimpleNamespace(now=0.0)
    made = Race(pool, race_setup(), clock=lambda: clock.now)  # type: ignore[arg-type]
    return SimpleNamespace(race=made, runs=pool.runs, clock=clock)


def turn(case: SimpleNamespace, *, looking: bool = True) -> None:
    """Time passes, every run does what was ordered, and the socket looks after it."""
    for run in case.runs:
        run.work()
    case.clock.now += 0.05
    case.race.tick(frames_wanted=looking)


# ---- lockstep


def test_nothing_is_ordered_before_every_first_frame(race):
    race.race.train()
    for run in race.runs[:2]:
        run.work()
    race.race.tick(frames_wanted=True)
    assert [run.ordered for run in race.runs] == [0, 0, 0] and race.race.snapshots is None
    turn(race)
    assert [each.frame.step for each in race.race.snapshots] == [0, 0, 0] and all(run.ordered for run in race.runs)


def test_all_wait_for_the_slowest_and_every_picture_is_of_one_step(race):
    race.race.train()
    turn(race)
    pictures, rng = set(), np.random.default_rng(0)
    for _ in range(600):
        for run in race.runs:
            run.work(int(rng.integers(0, 3)))
        steps = [run.step for run in race.runs]
        assert max(run.step + run.ordered for run in race.runs) == race.race.step  # nobody is ordered further
        ordered = race.race.step
        race.clock.now += 0.02
        race.race.tick(frames_wanted=True)
        if race.race.step > ordered:
            assert steps == [ordered] * 3  # the next round begins when all are there
        shown = {each.frame.step for each in race.race.snapshots}
        assert len(shown) == 1
        pictures |= shown
    assert len(pictures) > 5 and max(pictures) == SMALL_LANE.steps


def test_a_hidden_tab_trains_on_and_takes_no_frames(race):
    turn(race)
    race.race.train()
    for _ in range(10):
        turn(race, looking=False)
    assert {run.step for run in race.runs} != {0} and all(len(run.frames) == 1 for run in race.runs)


def test_speed_says_how_many_updates_a_second(race):
    race.race.setup = race.race.setup.at("slow")
    race.race.train()
    for _ in range(80):  # of 0.05 s
        turn(race)
    assert race.runs[0].step in (8, 9)  # four seconds at two a second, the first at once


def test_step_makes_one_update_of_every_lane_and_pause_holds(race):
    turn(race)
    race.race.once()
    for _ in range(6):
        turn(race)
    assert [run.step for run in race.runs] == [1, 1, 1] and race.race.paused
    assert [each.frame.step for each in race.race.snapshots] == [1, 1, 1]
    assert race.race.is_at_rest
    race.race.train()
    turn(race)
    race.race.pause()
    assert not race.race.is_at_rest  # the round goes on to its end
    for _ in range(6):
        turn(race)
    assert (
        {run.step for run in race.runs} == {race.race.step}
        and race.race.step < SMALL_LANE.steps
        and race.race.is_at_rest
    )


def test_a_lane_that_breaks_stands_still_and_says_so_and_the_others_go_on(race):
    race.runs[1].breaks_at = 3
    race.race.train()
    for _ in range(60):
        turn(race)
    assert [run.step for run in race.runs] == [40, 3, 40]
    assert [each.state for each in race.race.snapshots] == ["finished", "broken", "finished"]
    assert [each.frame.step for each in race.race.snapshots] == [40, 3, 40] and race.race.paused
    assert "no longer finite" in compare_text.card(race.race.snapshots[1])["still"]


def test_after_the_end_train_goes_as_far_again(race):
    race.race.train()
    for _ in range(60):
        turn(race)
    assert race.race.paused and race.race.step == 40
    race.race.train()
    for _ in range(90):
        turn(race)
    assert [run.step for run in race.runs] == [80, 80, 80] and race.race.paused


def test_a_lane_whose_worker_died_makes_its_updates_again(race):
    race.race.train()
    turn(race)
    lost = race.runs[2]
    lost.ordered, lost.phase, lost.message = 0, RunPhase.STARTING, "Its worker process died and was replaced."
    race.race.tick(frames_wanted=True)
    lost.work()
    for _ in range(60):
        turn(race)
    assert [run.step for run in race.runs] == [40, 40, 40]
    assert [each.state for each in race.race.snapshots] == ["finished"] * 3


# ---- who has which race


def test_other_networks_race_anew_and_a_reload_finds_the_race():
    clock = SimpleNamespace(now=0.0)
    pool = FakePool()
    races = RaceRegistry(lambda: pool, lambda: clock.now)  # type: ignore[arg-type, return-value]
    slot = races.attach("somebody", race_setup())
    token = slot.race.token
    slot.enter(race_setup().at("slow"))
    assert slot.race.token == token and slot.race.setup.limit == 2
    slot.enter(race_setup("rnn", "lstm"))
    assert slot.race.token != token and [run.stopped for run in pool.runs] == [True] * 3 + [False] * 2
    assert races.find(token) is None and races.find(slot.race.token) is slot
    assert races.attach("somebody", race_setup("rnn", "lstm")) is not slot  # its tab is still open
    races.release(slot)
    assert races.attach("somebody else", race_setup("rnn", "lstm")) is not slot
    assert races.attach("somebody", race_setup("rnn", "lstm")) is slot


def test_a_race_that_nobody_looks_at_is_stopped_and_forgotten():
    clock = SimpleNamespace(now=0.0)
    pool = FakePool()
    races = RaceRegistry(lambda: pool, lambda: clock.now)  # type: ignore[arg-type, return-value]
    slot = races.attach("somebody", race_setup("rnn", "lstm"))
    races.release(slot)
    races.watch(slot, 1)
    clock.now = 2 * FORGET_AFTER
    races.expire()
    assert not pool.runs[0].stopped  # a socket is still open
    races.watch(slot, -1)
    clock.now += FORGET_AFTER + 1
    races.expire()
    assert [run.stopped for run in pool.runs] == [True, True] and races.find(slot.race.token) is None
