"""The runs that are over: which are kept, under which name, and how much of them."""

from __future__ import annotations

import dataclasses
from itertools import count

import numpy as np
import pytest

from app.figures.base import LastGradient
from app.hub import MOST_BESIDE, Hub, RunSlot
from app.my_runs import csv_file
from app.past_runs import MAX_ROWS, NEWEST, PastRuns, snapshot
from app.run_start import Start
from engine.experiment import Experiment
from engine.frame import Diagnosis, RunPhase
from tests.fakes import SMALL, FakePool, FakeRun, at_step


def run_at(step: int | None, experiment: Experiment = SMALL, **more) -> FakeRun:
    """A run whose newest frame is of this step."""
    run = FakeRun(experiment, paused=False, speed=None, **more)
    run.frame = None if step is None else at_step(step)
    return run


def kept(*runs: FakeRun) -> PastRuns:
    past = PastRuns(count().__next__)
    for run in runs:
        past.add(run)
    return past


def names(past: PastRuns) -> list[str]:
    return [run.name for run in past.newest_first]


@pytest.mark.parametrize(("step", "there"), [(None, 0), (0, 0), (1, 1)])
def test_a_run_is_kept_once_it_has_made_an_update(step, there):
    assert len(kept(run_at(step)).newest_first) == there


def test_the_name_says_what_differs_from_the_run_before():
    past = kept(
        run_at(5), run_at(5, SMALL.replace(cell="gru")), run_at(5, SMALL.replace(cell="gru", learning_rate=0.01)),
        run_at(5, SMALL.replace(cell="gru", learning_rate=0.01), changes=((3, {"clip": "none"}),)),
    )  # fmt: skip
    assert names(past)[::-1] == [
        "LSTM, 4 units", "GRU, 4 units", "GRU, 4 units, learning rate 0.01", "GRU, 4 units, no clipping after step 3",
    ]  # fmt: skip


def test_no_two_runs_have_one_name():
    past = kept(
        run_at(5),
        run_at(5, SMALL.replace(task="parity", rnn_type="many_to_many")),
        run_at(6, SMALL.replace(task="adding")),
    )
    assert len(set(names(past))) == 3


def test_a_run_with_the_same_settings_shares_the_line_of_the_longer_one():
    past = kept(run_at(50))
    first = past.newest_first[0]
    past.rename(first, "mine")
    past.add(run_at(20))
    assert [(run.name, run.step, run.ended) for run in past.newest_first] == [("mine", 50, 1)]
    past.add(run_at(70))
    assert [(run.id, run.name, run.step) for run in past.newest_first] == [(first.id, "mine", 70)]


def test_the_newest_stay_and_those_that_somebody_keeps():
    past = kept(run_at(5, SMALL.replace(seed=0)))
    first = past.newest_first[0]
    assert past.keep(first, True)
    for seed in range(1, NEWEST + 3):
        past.add(run_at(5, SMALL.replace(seed=seed)))
    assert [run.initial.seed for run in past.newest_first] == [*range(NEWEST + 2, 2, -1), 0]
    kept_now = [past.keep(run, True) for run in past.newest_first]
    assert kept_now.count(False) == 1 and past.find(first.id) is first  # as many as possible
    past.forget(first)
    assert past.find(first.id) is None and len(past.newest_first) == NEWEST


def test_a_name_is_one_short_line_and_never_empty():
    past = kept(run_at(5))
    (run,) = past.newest_first
    past.rename(run, "  <b>two\nlines</b> ")
    assert run.name == "<b>two lines</b>"
    past.rename(run, " \n ")
    assert run.name == "<b>two lines</b>"
    past.rename(run, "x" * 500)
    assert len(run.name) == 60
    past.add(run_at(5, SMALL.replace(seed=1)))
    other, _ = past.newest_first
    past.rename(run, other.name)
    assert run.name == f"{other.name} (2)"


def test_a_long_run_of_a_large_network_takes_less_than_300_kilobytes():
    run = run_at(5, SMALL)
    for step in range(1, 3000):
        run.curve.add_update(step, 1.0, 1.0, False)
        run.curve.add_frame(step, 1.0, 1.0, 0.5, 1.0, False)
        run.curve.add_held_out(step, 1 / step)
    run.frames = tuple(at_step(step) for step in range(3))
    run.frame = dataclasses.replace(run.frame, held_out_best=1 / 2999, held_out_best_step=2999)
    one = snapshot(run, run.frame, 0.0)
    curves = one.past.curves
    assert len(curves.updates) == len(curves.held_out) == MAX_ROWS and not len(curves.looks)
    assert (
        [curves.updates["step"][at] for at in (0, -1)] == [1, 2999] == [curves.held_out["step"][at] for at in (0, -1)]
    )
    shape = (4, 2, 1000)  # layers, directions, steps
    last = LastGradient(*(np.zeros(shape) for _ in range(3)), np.ones(shape[-1], bool))
    assert dataclasses.replace(one, past=dataclasses.replace(one.past, last=last)).bytes < 300_000


def test_the_best_loss_is_the_records_and_the_ratio_that_of_the_frames():
    run = run_at(7)
    run.frame = dataclasses.replace(
        run.frame,
        held_out_best=0.25,
        held_out_best_step=4,
        diagnosis=Diagnosis("fading", "It fades.", {"ratio": 0.004}, {}),
    )
    one = snapshot(run, run.frame, 0.0)
    assert (one.best, one.best_step, one.verdict) == (0.25, 4, "fading")
    assert one.past.curves.ratios.tolist() == [(7, 0.004)]


def test_the_best_loss_and_its_step_stand_in_the_file():
    run = run_at(4000)
    for step in range(0, 4001, 2):
        run.curve.add_held_out(step, 2.0)
    run.frame = dataclasses.replace(run.frame, held_out_best=0.25, held_out_best_step=1701)
    one = snapshot(run, run.frame, 0.0)
    steps, losses = one.past.curves.held_out_loss
    assert (one.best, one.best_step) == (0.25, 1701) and len(steps) <= MAX_ROWS
    assert steps[0] == 0 and steps[-1] == 4000 and (np.diff(steps) > 0).all() and losses[steps == 1701] == 0.25
    table = csv_file.written([one])
    assert "1701,,,0.25" in table


# ---- of a tab


def test_every_way_in_which_a_run_ends_keeps_it():
    pool = FakePool()
    slot = RunSlot(pool, "", Start(SMALL), speed="normal")
    for end in (
        lambda: slot.apply(SMALL.replace(seed=1)),
        lambda: slot.branch(4, {"clip": "none"}, paused=True),
        slot.stop,
    ):
        slot.run.frame = at_step(9)
        end()
    assert [run.step for run in slot.past.newest_first] == [9, 9, 9]


def test_the_runs_are_the_browsers_and_outlive_a_reload(monkeypatch):
    hub, pool = Hub(), FakePool()
    monkeypatch.setattr(hub, "pool", lambda: pool)
    ann, bob, nobody = (hub.attach(owner, Start(SMALL), speed="normal") for owner in ("ann", "bob", ""))
    ann.run.frame = at_step(9)
    ann.reset()
    again = hub.attach("ann", Start(SMALL.replace(seed=5)), speed="normal")  # another link in the same browser
    assert len(again.past.newest_first) == 1
    assert not bob.past.newest_first and nobody.past is not hub.attach("", Start(SMALL), speed="normal").past


def of_ann(hub: Hub, **more) -> RunSlot:
    return hub.attach("ann", Start(SMALL.replace(**more)), speed="normal")


@pytest.fixture
def hub(monkeypatch) -> Hub:
    hub, pool = Hub(), FakePool()
    monkeypatch.setattr(hub, "pool", lambda: pool)
    return hub


def test_a_run_that_has_finished_is_listed_while_it_is_on_the_screen(hub):
    slot = of_ann(hub)
    slot.run.frame = at_step(9)
    hub.gather(slot)
    assert not slot.past.newest_first  # it trains
    slot.run.phase = RunPhase.FINISHED
    for _ in range(2):
        hub.gather(slot)
        (line,) = slot.past.newest_first
        assert slot.past.line_of(slot.run) is line and line.step == 9
    slot.past.rename(line, "mine")
    slot.train()
    slot.run.frame = at_step(12)
    hub.gather(slot)
    (line,) = slot.past.newest_first
    assert (line.name, line.step) == ("mine", 12)
    slot.draw_beside(line, True)
    assert not slot.beside  # it is the present run
    slot.reset()
    assert [run.name for run in slot.beside.values()] == ["mine"] and slot.ghost.past_id == line.id
    hub.gather(slot)
    assert len(slot.past.newest_first) == 1


def test_a_run_that_is_left_behind_is_listed_once_and_grows(hub):
    left, never = of_ann(hub), of_ann(hub, seed=4)
    left.run.frame = at_step(9)
    here = of_ann(hub, seed=5)
    hub.gather(here)
    assert not here.past.newest_first  # its tab is still open
    hub.release(left)
    hub.release(never)
    for step in (9, 9, 11):  # it trains until its tab has been closed for a while
        left.run.frame = at_step(step)
        hub.gather(here)
        assert [run.step for run in here.past.newest_first] == [step]
    hub.release(here)
    assert of_ann(hub) is left  # a reload
    hub.gather(left)
    (line,) = left.past.newest_first
    assert left.past.line_of(left.run) is line
    hub.release(left)
    here.past.forget(line)
    hub.gather(here)
    assert not here.past.newest_first  # although its run still waits for its tab


def test_four_runs_are_drawn_at_once_each_in_a_place_of_its_own():
    slot = RunSlot(FakePool(), "", Start(SMALL), speed="normal")
    for seed in range(MOST_BESIDE + 1):
        slot.past.add(run_at(5, SMALL.replace(seed=seed)))
    runs = slot.past.newest_first
    assert [slot.draw_beside(run, True) for run in runs] == [True] * MOST_BESIDE + [False]
    assert slot.draw_beside(runs[1], False) and list(slot.beside) == [0, 2, 3]
    assert slot.draw_beside(runs[-1], True) and slot.beside[1] is runs[-1]
    slot.past.forget(runs[0])
    assert list(slot.beside) == [1, 2, 3]
    assert slot.draw_beside(runs[1], True) and slot.beside[0] is runs[1]
