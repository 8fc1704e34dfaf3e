"""Going back to a step and on from there: exactly the run that would have been, whatever was kept and whoever died."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

from engine.experiment import Changes, Experiment, ExperimentError, record_change, settings_at
from engine.frame import RunPhase
from engine.training import Trainer
from engine.workers.hosted_run import HostedRun
from engine.workers.protocol import Open
from tests.engine.conftest import assert_same
from tests.engine.workers.conftest import frame_of, wait_for

SMALL = Experiment(task="adding", hidden_size=6, seq_len=8, batch_size=4, learning_rate=0.01, steps=1_000_000)


def trained(steps: int, changes: Changes = (), experiment: Experiment = SMALL) -> Trainer:
    """The same run, made by hand."""
    trainer, made = Trainer(experiment), dict(changes)
    while trainer.step < steps:
        trainer.update(**made.get(trainer.step, {}))
        trainer.advance()
    return trainer


def test_planned_changes_are_made_at_their_steps_and_it_waits_where_it_was_told(pool):
    changes = ((3, {"learning_rate": 0.1, "batch_size": 7}), (9, {"clip": "none", "noise": 0.5}))
    run = pool.submit(SMALL, paused=True, changes=changes, until=12)
    frame = frame_of(run, lambda frame: frame.step == 12)
    wait_for(lambda: run.status().phase == RunPhase.PAUSED)
    assert_same(frame, trained(12, changes).frame())
    assert run.changes == changes and run.experiment == settings_at(SMALL, changes)
    assert run.info_at(3).experiment.batch_size == 7 and run.info_at(2).experiment == SMALL
    run.stop()


@pytest.mark.parametrize("step", [0, 7, 40])
def test_a_branch_has_the_same_past_and_another_future(pool, step):
    run = pool.submit(SMALL, paused=True, until=40)
    frame_of(run, lambda frame: frame.step == 40)
    run.update(learning_rate=0.5)
    run.advance(20)
    frame_of(run, lambda frame: frame.step == 60)
    branch = run.branch(step, {"clip": "norm", "clip_threshold": 0.01}, paused=True, speed=None)
    assert branch.status().step == step and (branch._frame is None or branch._frame.step <= step)
    wait_for(lambda: branch.status().phase == RunPhase.PAUSED)
    branch.advance(5)
    frame = frame_of(branch, lambda frame: frame.step == step + 5)
    assert_same(frame, trained(step + 5, ((step, {"clip_threshold": 0.01}),)).frame())
    steps = branch.history["step"]
    assert (np.diff(steps) > 0).all() and branch.changes == ((step, {"clip_threshold": 0.01}),)
    past = run.history[run.history["step"] <= step]
    assert (branch.history[: len(past)]["loss"] == past["loss"]).all()
    assert run.status().step == 60, "the other future stands where it stood"
    run.stop(), branch.stop()


def test_only_live_settings_may_differ_between_branches(pool):
    run = pool.submit(SMALL, paused=True)
    with pytest.raises(ExperimentError, match="cell must be the same on both branches"):
        run.branch(0, {"cell": "gru"}, paused=True, speed=None)
    with pytest.raises(ExperimentError, match="learning_rate must be a number"):
        run.branch(0, {"learning_rate": -1}, paused=True, speed=None)
    run.stop()


def test_a_checkpoint_of_another_branch_does_not_bring_its_changes():
    other = trained(6, ((2, {"noise": 0.1}),))
    other.update(learning_rate=0.5)  # after update 6: nobody has gone by it yet
    changes = ((2, {"noise": 0.1}), (6, {"batch_size": 9}))
    hosted = HostedRun(Open(1, SMALL.to_dict(), True, None, other.checkpoint(), changes, until=8))
    hosted.train_for(60)
    assert hosted.trainer.changes == changes and hosted.trainer.step == 8
    assert_same(hosted.trainer.frame(), trained(8, changes).frame())


def test_a_change_that_a_dying_worker_did_not_hear_of_is_made_by_the_next():
    late = ((2, {"noise": 0.1}),)
    hosted = HostedRun(Open(1, SMALL.to_dict(), True, None, trained(6).checkpoint(), late, until=7))
    assert hosted.trainer.experiment.noise == 0.1 and hosted.trainer.changes == ((6, {"noise": 0.1}),)


def test_nothing_is_shown_on_the_way_to_a_step_that_was_seen_before():
    hosted = HostedRun(Open(1, SMALL.to_dict(), True, None, trained(3).checkpoint(), (), until=5))
    assert hosted.wants_to_train() and hosted.frame_time() is None
    assert hosted.report(0.0, 1.0, None).phase == RunPhase.RUNNING
    hosted.train_for(60)
    assert hosted.frame_time() is not None and hosted.report(0.0, 1.0, None).phase == RunPhase.PAUSED


def test_frames_and_checkpoints_are_kept_within_bounds_and_survive_a_dead_worker(pool):
    run = pool.submit(SMALL)
    wait_for(lambda: run.latest() is not None and len(run.frames) > 5)
    wait_for(lambda: run._log.checkpoints.all())
    os.kill(pool.pids[0], signal.SIGKILL)
    wait_for(lambda: "went on from the last checkpoint" in run.status().message)
    known = len(run.frames)
    wait_for(lambda: run.latest() is not None and len(run.frames) > known)
    steps = [frame.step for frame in run.frames]
    assert steps[0] == 0 and steps == sorted(set(steps))
    run.stop()


def test_changes_are_noted_with_the_step_at_which_they_were_made():
    faster = SMALL.replace(learning_rate=0.1)
    once = record_change((), 5, SMALL, faster)
    assert once == ((5, {"learning_rate": 0.1}),) and record_change(once, 6, faster, faster) == once
    twice = record_change(once, 5, faster, faster.replace(noise=0.2))
    assert twice == ((5, {"learning_rate": 0.1, "noise": 0.2}),)
    assert settings_at(SMALL, twice, 4) == SMALL and settings_at(SMALL, twice) == faster.replace(noise=0.2)


def test_updates_that_are_ordered_while_a_branch_is_on_its_way_are_made_once_it_is_there(pool):
    run = pool.submit(SMALL, paused=True, until=40)
    frame_of(run, lambda frame: frame.step == 40)
    branch = run.branch(40, {}, paused=True, speed=None)
    branch.advance(2)
    assert_same(frame_of(branch, lambda frame: frame.step == 42), trained(42).frame())
    run.stop(), branch.stop()
