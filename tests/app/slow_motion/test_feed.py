"""One browser's view of the next update: when its trace is asked for, and what is told of it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.live.messages import pack
from app.slow_motion.feed import UpdateFeed
from app.stage.feed import StageFeed
from engine.experiment import Experiment
from engine.frame import RunPhase
from engine.slow_motion.dry_run import dry_run_update
from engine.training import Trainer
from engine.workers import UPDATE_TRACE
from tests.fakes import FakeRun

CHOICE = {"t": 0, "chain": [0, 0], "unit": 0, "open": False, "follow": None, "typed": {}, "matrix": None}
E = Experiment(cell="rnn", hidden_size=4, seq_len=6, batch_size=3)


@pytest.fixture
def trainer() -> Trainer:
    return Trainer(E)


@pytest.fixture
def run(trainer) -> FakeRun:
    paused = FakeRun(E, paused=True, speed=None)
    paused.frame, paused.phase = trainer.frame(), RunPhase.PAUSED
    return paused


def asked(run: FakeRun) -> int:
    return [name for name, _ in run.calls].count(UPDATE_TRACE.name)


def test_it_is_asked_for_once_and_only_of_a_run_that_stands_still(run):
    feed = UpdateFeed(run)
    feed.request()
    assert asked(run) == 0  # nobody wants it
    feed.is_wanted, run.phase = True, RunPhase.RUNNING
    feed.request()
    assert asked(run) == 0
    run.phase = RunPhase.PAUSED
    feed.request()
    feed.request()
    assert asked(run) == 1
    run.frame = dataclasses.replace(run.frame, step=1)
    run.finish(UPDATE_TRACE, problem="Update 1 was not made: the loss is no longer finite.")
    feed.request()
    assert asked(run) == 2 and feed.problem.startswith("Update 1 was not made")


def test_the_stage_shows_the_updates_own_sequence_and_then_whether_it_was_made_so(run, trainer):
    stage = StageFeed(run)
    stage.receive({**CHOICE, "slow": True})
    assert stage.is_due(run.frame)
    usual = stage.patch(run.info, run.frame)
    assert usual["update"] is None and asked(run) == 1
    trace = dry_run_update(trainer)
    run.finish(UPDATE_TRACE, trace)
    assert stage.is_due(run.frame)
    changed = stage.patch(run.info, run.frame)
    pack({"stage": changed}, step=0)  # it can be sent
    assert changed["words"] == [str(symbol) for symbol in trace.frame.inputs] != usual["words"]
    assert changed["update"]["step"] == 0 and not changed["update"]["made"]
    np.testing.assert_array_equal(trace.frame.inputs, trace.inputs)
    trainer.advance()
    run.frame = trainer.frame()
    run.curve.add_update(1, trace.loss, trace.norm, trace.clipped)
    waiting = stage.patch(run.info, run.frame)
    assert waiting["update"] is None and "words" not in waiting  # the picture stays
    run.finish(UPDATE_TRACE, dry_run_update(trainer))
    following = stage.patch(run.info, run.frame)["update"]
    assert following["step"] == 1 and "exactly as on the copy" in following["made"]
    stage.receive(CHOICE)
    assert stage.patch(run.info, run.frame)["words"] == usual["words"]
