"""What breaks under a run: memory that runs out, a worker that hangs, a clock that jumps. Its last frames are kept."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.frame import RunPhase
from engine.training import Trainer
from engine.workers import Pool, Run
from engine.workers.protocol import CheckpointSaved, Report
from engine.workers.reasons import NO_MEMORY
from engine.workers.worker import Worker
from tests.engine.conftest import assert_same
from tests.engine.workers.conftest import SMALL, frame_of, wait_for
from tests.engine.workers.test_loop import Clock, Connection, new_run, reports, turns

HUGE = Experiment(cell="lstm", hidden_size=128, seq_len=1000, batch_size=64, steps=1_000_000)


@pytest.fixture
def pool():
    pool = Pool(1)
    yield pool
    pool.shutdown()


def test_a_run_that_finds_no_memory_ends_in_a_sentence_and_the_others_of_its_worker_go_on(pool):
    other = pool.submit(SMALL)
    frame_of(other, lambda frame: frame.step > 0)
    (pid,) = pool.pids
    held = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
    resource.prlimit(pid, resource.RLIMIT_AS, (held + 80 * 2**20,) * 2)  # what the machine has left
    huge = pool.submit(HUGE)
    wait_for(lambda: huge.status().phase == RunPhase.FAILED)
    assert huge.status().message == f"This run ended with an error: {NO_MEMORY}."
    reached = other.status().step
    assert frame_of(other, lambda frame: frame.step > reached) and pool.pids == [pid]


def test_a_worker_that_hangs_is_replaced_and_its_run_is_what_it_would_have_been(pool):
    run, alone = pool.submit(SMALL), Trainer(SMALL)
    wait_for(lambda: run._log.checkpoints.all())
    (old,) = pool.pids
    os.kill(old, signal.SIGSTOP)
    wait_for(lambda: run.status().phase == RunPhase.STARTING)
    kept = run.frames
    wait_for(lambda: run.status().phase == RunPhase.RUNNING)
    run.pause()
    wait_for(lambda: run.status().phase == RunPhase.PAUSED)
    frame = frame_of(run, lambda frame: frame.step == run.status().step)
    assert kept and run.frames[: len(kept)] == kept and pool.pids != [old]
    updates = run.curve.updates()
    losses = [alone.advance() for _ in range(frame.step)]
    assert np.array_equal(updates["loss"], np.array(losses)[updates["step"] - 1])
    assert_same(frame, alone.frame())


@pytest.mark.parametrize("jump", [3600.0, 86_400.0])
def test_a_clock_that_jumps_changes_no_number_and_stops_no_frame(jump):
    """As after a night in which the machine slept, where the clock goes on meanwhile."""
    clock = Clock()
    worker, run, alone = Worker(Connection(), clock, clock), new_run(1), Trainer(SMALL.replace(seed=1))
    worker.connection.orders += run.restart_orders()
    turns(worker, 20, range(1, 2))
    before = len(reports(worker))
    clock.now += jump
    turns(worker, 20, range(1, 2))
    assert sum(report.frame is not None for report in reports(worker)[before:]) > 2
    for message in worker.connection.sent:
        if isinstance(message, Report | CheckpointSaved):
            run.receive(message)
    updates = run.curve.updates()
    assert updates["step"].tolist() == list(range(1, len(updates) + 1))
    assert np.array_equal(updates["loss"], [alone.advance() for _ in updates])


def test_a_change_while_a_run_makes_up_for_a_lost_worker_leaves_no_loss_of_a_past_that_is_no_more():
    """Its updates beyond the change were made with other settings, and are made anew."""
    run = new_run(1)
    clock = Clock()
    before = Worker(Connection(), clock, clock)
    before.connection.orders += run.restart_orders()
    turns(before, 60)
    for message in before.connection.sent:
        if isinstance(message, Report | CheckpointSaved):
            run.receive(message)
    reached = run.status().step
    run._log.checkpoints = run._log.checkpoints.until(run._log.checkpoints.all()[0][0])
    run.worker_lost()

    after = Worker(Connection(), clock, clock)
    after.connection.orders += run.restart_orders()
    turns(after, 2)
    deliver(after, run)
    assert run.status().step < reached, "it has nothing to make up for"
    run.attach(Sender(after))
    run.update(learning_rate=0.05)
    turns(after, 60)
    deliver(after, run)
    updates, alone, changes = run.curve.updates(), Trainer(SMALL.replace(seed=1)), list(run.changes)
    assert run.status().step > reached and updates["step"].tolist() == list(range(1, run.status().step + 1))
    for update in updates:
        while changes and changes[0][0] <= alone.step:
            alone.update(**changes.pop(0)[1])
        assert update["loss"] == alone.advance(), update["step"]


class Sender:
    """A worker's handle that puts its orders where it reads."""

    def __init__(self, worker: Worker) -> None:
        self.send = worker.connection.orders.append

    def close(self, key: int) -> None:
        raise NotImplementedError


def deliver(worker: Worker, run: Run) -> None:
    """Let the run receive what its worker has sent since."""
    for message in worker.connection.sent:
        if isinstance(message, Report | CheckpointSaved):
            run.receive(message)
    worker.connection.sent.clear()
