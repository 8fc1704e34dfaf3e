"""The pool on channels that are no processes: what it sends, what it receives, and what it does when one is gone."""

from __future__ import annotations

import dataclasses
import queue
from collections.abc import Callable

import pytest

from engine.experiment import Experiment
from engine.frame import RunPhase
from engine.workers import WEIGHTS, Pool, worker_process
from engine.workers.protocol import (
    Measure,
    Open,
    Order,
    Ping,
    PoolMessage,
    Ready,
    Report,
    RequestDone,
    WorkerMessage,
    WorkingOn,
)
from tests.engine.workers.conftest import wait_for

SMALL = Experiment(hidden_size=4, seq_len=6, batch_size=4)


class FakeChannel:
    """A worker that a test plays: `sent` is what it was sent, `say` is what it answers."""

    name = "fake"
    worked: float | None = None  # seconds of processor time, where they are known

    def __init__(self) -> None:
        self.sent: list[PoolMessage] = []
        self._inbox: queue.SimpleQueue[WorkerMessage | None] = queue.SimpleQueue()
        self._received: WorkerMessage | None = None

    def say(self, *messages: WorkerMessage) -> None:
        for message in messages:
            self._inbox.put(message)

    def send(self, message: PoolMessage) -> None:
        self.sent.append(message)

    def poll(self, seconds: float) -> bool:
        try:
            self._received = self._inbox.get(timeout=seconds)
        except queue.Empty:
            return False
        return True

    def recv(self) -> WorkerMessage:
        if self._received is None:
            raise EOFError
        return self._received

    def processor_seconds(self) -> float | None:
        return self.worked

    def kill(self) -> None:
        self._inbox.put(None)

    def wait(self, seconds: float | None = None) -> str:
        return "gone"


class Workers:
    """Starts fake channels and remembers them."""

    def __init__(self) -> None:
        self.started: list[FakeChannel] = []

    def __call__(self) -> FakeChannel:
        self.started.append(FakeChannel())
        return self.started[-1]


@pytest.fixture
def workers() -> Workers:
    return Workers()


@pytest.fixture
def pool(workers: Workers):
    pool = Pool(1, workers)
    yield pool
    pool.shutdown()


def report(key: int, step: int, phase: RunPhase = RunPhase.RUNNING) -> Report:
    return Report(key, phase, step, 0.0, 1.0, "", None, [(step, 1.0, 1.0, False)], (), None)


def sent(channel: FakeChannel, wanted: Callable[[PoolMessage], bool] = lambda message: True) -> list[PoolMessage]:
    """What a channel was sent, as soon as there is anything that is wanted."""
    wait_for(lambda: any(map(wanted, list(channel.sent))))
    return [message for message in channel.sent if wanted(message)]


def opened(channel: FakeChannel) -> Open:
    """The message with which a channel was given its one run."""
    (message,) = sent(channel, lambda message: isinstance(message, Open))
    assert isinstance(message, Open)
    return message


def replaced(workers: Workers) -> FakeChannel:
    """End the newest worker; the one that takes its place, ready."""
    before = len(workers.started)
    workers.started[-1].kill()
    wait_for(lambda: len(workers.started) > before)
    workers.started[-1].say(Ready(("cpu",)))
    return workers.started[-1]


def test_nothing_is_sent_before_the_worker_is_ready_and_everything_then(pool, workers):
    run, measurement = pool.submit(SMALL, paused=True), pool.measure([SMALL], repeats=3)
    run.request(WEIGHTS)
    assert workers.started[0].sent == []
    workers.started[0].say(Ready(("cpu", "gpu")))
    wait_for(lambda: len(workers.started[0].sent) == 3)
    opening, order, measure = workers.started[0].sent
    assert opening == Open(run.key, SMALL.to_dict(), paused=True, speed=None, checkpoint=None)
    assert isinstance(order, Order) and (order.what, order.value.kind) == ("request", WEIGHTS)
    assert measure == Measure(measurement.key, [SMALL.to_dict()], 3)
    wait_for(lambda: pool.devices == ("cpu", "gpu"))


def test_the_next_worker_starts_when_the_one_before_is_ready():
    workers = Workers()
    pool = Pool(2, workers)
    assert len(workers.started) == 1
    workers.started[0].say(Ready(("cpu",)))
    wait_for(lambda: len(workers.started) == 2)
    pool.shutdown()


def test_a_request_that_a_dead_worker_did_not_answer_is_sent_to_the_next(pool, workers):
    run = pool.submit(SMALL)
    workers.started[0].say(Ready(("cpu",)))
    run.request(WEIGHTS)
    (order,) = sent(replaced(workers), lambda message: isinstance(message, Order))
    assert isinstance(order, Order) and run.is_pending(WEIGHTS)
    workers.started[1].say(RequestDone(run.key, order.value.number, WEIGHTS, b"numbers"))
    wait_for(lambda: not run.is_pending(WEIGHTS))
    assert run.result(WEIGHTS) == b"numbers" and run.problem(WEIGHTS) == ""


def test_only_the_run_that_a_worker_was_working_on_is_blamed_for_its_death(pool, workers):
    guilty, other = pool.submit(SMALL), pool.submit(SMALL)
    for _ in range(2):
        workers.started[-1].say(Ready(("cpu",)), WorkingOn(guilty.key))
        replaced(workers)
    wait_for(lambda: guilty.status().phase == RunPhase.FAILED)
    assert "twice at about step 0" in guilty.status().message and "memory" in guilty.status().message
    assert other.status().phase == RunPhase.STARTING and "from the start" in other.status().message
    assert opened(workers.started[-1]).key == other.key


def test_a_run_that_gets_past_the_place_of_the_last_death_is_not_blamed_however_often_workers_die(pool, workers):
    run = pool.submit(SMALL)
    for step in range(100, 600, 100):
        report = Report(run.key, RunPhase.RUNNING, step, 20.0, 1.0, "", None, [], (), None)
        workers.started[-1].say(Ready(("cpu",)), WorkingOn(run.key), report)
        replaced(workers)
    wait_for(lambda: run.status().phase == RunPhase.STARTING)
    # No further than it may have been: it reports twice a second.
    report = dataclasses.replace(report, step=505)
    workers.started[-1].say(Ready(("cpu",)), WorkingOn(run.key), report)
    replaced(workers)
    wait_for(lambda: run.status().phase == RunPhase.FAILED)
    assert "twice at about step 505" in run.status().message


def test_a_worker_that_neither_answers_nor_computes_is_replaced_though_its_run_is_paused(pool, workers, monkeypatch):
    monkeypatch.setattr(worker_process, "LOOK", 0.01)
    workers.started[0].worked = 1.0
    run = pool.submit(SMALL, paused=True)
    workers.started[0].say(Ready(("cpu",)))
    assert sent(workers.started[0], lambda message: isinstance(message, Ping))
    wait_for(lambda: len(workers.started) > 1)
    monkeypatch.undo()
    workers.started[1].say(Ready(("cpu",)))
    assert opened(workers.started[1]).key == run.key and "was replaced" in run.status().message


def test_measurements_end_with_their_worker(pool, workers):
    measurement = pool.measure([SMALL])
    replaced(workers)
    wait_for(lambda: not measurement.running)
    assert measurement.error == "The worker process that measured has died, so there is no result."


def test_a_run_that_is_stopped_is_closed_and_nothing_changes_it_afterwards(pool, workers):
    run = pool.submit(SMALL)
    workers.started[0].say(Ready(("cpu",)), report(run.key, 3))
    wait_for(lambda: run.status().step == 3)
    run.stop()
    assert sent(workers.started[0], lambda message: isinstance(message, Order)) == [Order(run.key, "close")]
    run.receive(report(run.key, 9))
    assert (run.status().step, run.status().phase) == (3, RunPhase.STOPPED)


def test_a_pool_that_is_shut_down_starts_no_other_worker(pool, workers):
    workers.started[0].say(Ready(("cpu",)))
    pool.shutdown()
    pool._workers[0].start()
    assert len(workers.started) == 1
