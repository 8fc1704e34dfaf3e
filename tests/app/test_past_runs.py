"""The runs that are over: which are kept, under which name, and how much of them."""

from __future__ import annotations

import dataclasses
from itertools import count

import numpy as np
import pytest

from app.figures.base import LastGradient
from app.hub import MOST_BESIDE, Hub, RunSlot, Start
from app.past_runs import MAX_ROWS, NEWEST, PastRuns, snapshot
from engine.experiment import Experiment
from engine.frame import Diagnosis
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
