"""The loop of a worker by itself: who gets a frame, and what a run goes on from after its worker died."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.frame import RunPhase
from engine.training import Trainer
from engine.workers.protocol import (
    WEIGHTS,
    CheckpointSaved,
    Order,
    PoolMessage,
    Report,
    RequestDone,
    WorkerMessage,
)
from engine.workers.run import Run
from engine.workers.worker import FRAME_CREDIT, MAX_DEBT, Worker

SMALL = Experiment(hidden_size=4, seq_len=6, batch_size=4, steps=1_000_000)


class Clock:
    """Every look at it takes a hundredth of a second: an update, a frame, a decision."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.01
        return self.now


class Connection:
    """The pool, played by a test: `orders` have arrived, `sent` is what the worker sent."""

    def __init__(self) -> None:
        self.orders: list[PoolMessage] = []
        self.sent: list[WorkerMessage] = []

    def send(self, message: WorkerMessage) -> None:
        self.sent.append(message)

    def poll(self, timeout: float | None) -> bool:
        return bool(self.orders)

    def recv(self) -> PoolMessage:
        return self.orders.pop(0)


class Pool:
    """A run's pool that opens no branches."""

    def open_branch(self, *_: object, **__: object) -> Run:
        raise NotImplementedError


@pytest.fixture
def worker() -> Worker:
    clock = Clock()
    return Worker(Connection(), clock, clock)


def new_run(key: int) -> Run:
    return Run(Pool(), key, SMALL.replace(seed=key), paused=False, speed=None)


def reports(worker: Worker) -> list[Report]:
    return [message for message in worker.connection.sent if isinstance(message, Report)]


def turns(worker: Worker, count: int, watched: range = range(0)) -> None:
    """So many rounds of the loop; those who watch request the next frame at once, in every round."""
    for _ in range(count):
        worker.connection.orders += [Order(key, "request_frame", []) for key in watched]
        worker.receive()
        worker.take_turns()


def test_all_who_watch_get_as_many_frames(worker):
    """Together they want more frames than there is time for."""
    watched = range(6)
    for key in watched:
        worker.connection.orders += new_run(key).restart_orders()
    turns(worker, 60, watched)
    frames = Counter(report.key for report in reports(worker) if report.frame is not None)
    assert sum(frames.values()) > 5 * len(watched), "too few to see a difference"
    assert max(frames.values()) <= 1.2 * min(frames[key] for key in watched), frames


def test_the_untrained_network_is_shown_though_frames_have_used_up_their_time(worker):
    worker.credit = -10 * FRAME_CREDIT
    worker.connection.orders += new_run(0).restart_orders()
    turns(worker, 3)
    frames = [report.frame for report in reports(worker) if report.frame is not None]
    assert [frame.step for frame in frames] == [0]


def last_checkpoint(worker: Worker) -> int:
    """Where in what was sent the newest checkpoint is."""
    return max(k for k, message in enumerate(worker.connection.sent) if isinstance(message, CheckpointSaved))


def test_a_resumed_run_goes_on_from_its_newest_checkpoint_and_no_update_is_missing_or_told_differently(worker):
    run, alone = new_run(1), Trainer(SMALL.replace(seed=1))
    worker.connection.orders += run.restart_orders()
    turns(worker, 60)
    for message in worker.connection.sent[: last_checkpoint(worker) + 1]:  # then the worker dies
        if isinstance(message, Report | CheckpointSaved):
            run.receive(message)
    newest = worker.connection.sent[last_checkpoint(worker)]
    run.worker_lost()
    (opening,) = run.restart_orders()
    assert isinstance(newest, CheckpointSaved) and opening.checkpoint == newest.checkpoint

    clock = Clock()
    other = Worker(Connection(), clock, clock)
    other.connection.orders.append(opening)
    turns(other, 20)
    first = reports(other)[0]
    assert first.step == newest.step and first.updates == []
    for report in reports(other):
        run.receive(report)
    updates = run.curve.updates()
    assert updates["step"].tolist() == list(range(1, run.status().step + 1)) and run.status().step > newest.step
    assert np.array_equal(updates["loss"], [alone.advance() for _ in updates])


def test_a_checkpoint_beyond_the_last_reported_step_is_the_one_to_go_on_from():
    run = new_run(1)
    run.receive(CheckpointSaved(1, 1800, b"older"))
    run.receive(Report(1, run.status().phase, 1841, 0.0, 1.0, "", None, [], (), None))
    run.receive(CheckpointSaved(1, 1986, b"newest"))
    (opening,) = run.restart_orders()
    assert opening.checkpoint == b"newest"


def test_a_change_that_the_worker_has_not_received_is_made_after_what_it_has_reported():
    """Otherwise a worker that takes the run on would repeat updates that were reported, with other settings."""
    run = new_run(1)
    run.receive(Report(1, run.status().phase, 100, 0.0, 1.0, "", None, [], (), None))
    run.update(learning_rate=0.5)
    assert run.changes == ((100, {"learning_rate": 0.5}),)
    run.receive(Report(1, run.status().phase, 150, 0.0, 1.0, "", None, [], (), None))
    assert run.changes == ((150, {"learning_rate": 0.5}),)
    run.update(noise=0.1)
    made = ((152, {"learning_rate": 0.5}),)
    run.receive(Report(1, run.status().phase, 160, 0.0, 1.0, "", None, [], made, None))
    assert run.changes == (*made, (160, {"noise": 0.1}))
    made = (*made, (161, {"noise": 0.1}))
    run.receive(Report(1, run.status().phase, 170, 0.0, 1.0, "", None, [], made, None))
    assert run.changes == made


def test_a_run_tells_its_listeners_what_a_page_may_show():
    run, told = new_run(1), []
    run.listeners.add(lambda: told.append(run.status()))
    run.request(WEIGHTS)
    done = RequestDone(1, 1, WEIGHTS, b"weights")
    report = Report(1, RunPhase.PAUSED, 3, 0.0, 1.0, "", None, [], (), None)
    for act in (lambda: run.receive(report), lambda: run.receive(done), run.worker_lost, lambda: run.fail("why")):
        told.clear()
        act()
        assert told == [run.status()], "before it happened, or not at all"
    told.clear()
    run.receive(CheckpointSaved(1, 4, b"checkpoint"))
    assert told == []


def test_held_out_records_are_measured_in_the_frames_share_of_the_time(worker):
    """They use up the credit for frames, but not so far that the first frames are late."""
    worker.connection.orders += new_run(0).restart_orders()
    worker.receive()
    run = worker.runs[0]
    worker._train(run)
    assert run.trainer.measuring_seconds > 0 and worker.credit < FRAME_CREDIT
    worker.credit = 0.0
    run.train_for = lambda seconds: setattr(run.trainer, "measuring_seconds", run.trainer.measuring_seconds + 60)
    worker._train(run)
    assert worker.credit == -MAX_DEBT
    worker.credit = -1.0
    worker._train(run)
    assert worker.credit == -1.0
