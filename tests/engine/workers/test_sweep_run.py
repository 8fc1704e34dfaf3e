"""A sweep in the pool: what it gives, when it trains, what it leaves to runs, and what happens when its worker dies."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Iterator

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.lens import gain_lines
from engine.many.measurement import Measurement
from engine.many.stretch import Stretch
from engine.many.training import train
from engine.training import Trainer
from engine.workers import Pool, SweepRun
from engine.workers.hosted_sweep import IN_A_ROW, WATCHED_FOR, HostedSweep
from engine.workers.line_finder import LineFinder
from engine.workers.protocol import MeasureLines, Open, OpenSweep, Order, SweepReport
from engine.workers.sweep_run import LOST
from engine.workers.worker import Worker
from tests.engine.workers.conftest import frame_of, wait_for
from tests.engine.workers.test_loop import Clock, Connection

BASE = Experiment(task="adding", cell="rnn", hidden_size=4, seq_len=4, batch_size=4)
FOUR = [BASE.replace(seq_len=length, seed=seed) for length in (4, 6) for seed in (0, 1)]
UPDATES = 40


@pytest.fixture(scope="module")
def two() -> Iterator[Pool]:
    pool = Pool(2)
    wait_for(lambda: all(worker.ready.is_set() for worker in pool._workers))
    yield pool
    pool.shutdown()


def stretch(experiments: list[Experiment], numbers: tuple[int, ...], updates: int = UPDATES) -> Stretch:
    return Stretch(
        numbers=numbers, experiments=tuple(experiments[number].to_dict() for number in numbers), beside=True,
        updates=updates, measure_every=10, seconds=math.inf,
    )  # fmt: skip


def without_seconds(measurements: list[Measurement]) -> list[tuple]:
    return sorted(each[:-1] for each in measurements)


def expected(experiments: list[Experiment], updates: int = UPDATES) -> list[tuple]:
    """The measurements of these networks, each pair of equal length trained in one piece here."""
    pairs = [(number, number + 1) for number in range(0, len(experiments), 2)]
    rows = [row for pair in pairs for row in train(stretch(experiments, pair, updates)).measurements]
    return without_seconds(rows)


def finish(run: SweepRun) -> None:
    def done() -> bool:
        run.watch()
        return run.done

    wait_for(done)


def test_a_pool_gives_the_measurements_of_a_stretch_trained_in_one_piece(two):
    run = two.sweep(FOUR, UPDATES, 10)
    finish(run)
    assert without_seconds(run.measurements) == expected(FOUR)
    assert run.made == 1 and not run.problem and run.seconds > 0
    assert len({part.key for part in run.parts}) == 2  # both workers had a share
    run.stop()


def test_a_small_sweep_goes_to_the_worker_that_has_least_to_do(two):
    busy = two.sweep(FOUR[:2], UPDATES, 10)
    other = two.sweep(FOUR[:2], UPDATES, 10)
    assert len(busy.parts) == len(other.parts) == 1
    (first,), (second,) = ([w.number for w in two._workers if run.parts[0].key in w.hosted] for run in (busy, other))
    assert first != second
    for run in (busy, other):
        run.stop()


def test_a_worker_that_dies_is_replaced_and_nothing_is_measured_twice_or_differently(two):
    long = [e.replace(steps=5000) for e in FOUR]
    run = two.sweep(long, 3000, 500)
    wait_for(lambda: run.watch() or any(each.step > 0 for each in run.measurements))
    os.kill(two.pids[0], signal.SIGKILL)
    finish(run)
    assert run.problem == LOST
    steps = [(each.number, each.step) for each in run.measurements]
    assert sorted(steps) == sorted(set(steps)) == sorted((n, step) for n in range(4) for step in range(0, 3001, 500))
    alone = train(Stretch(**{**vars(stretch(long, (0, 1), 3000)), "measure_every": 500}))
    mine = [each for each in run.measurements if each.number < 2]
    assert without_seconds(mine) == without_seconds(list(alone.measurements))
    run.stop()


def test_a_network_is_taken_as_a_trainer_that_goes_on_where_it_is_and_knows_how_good_it_is(two):
    run = two.sweep(FOUR, UPDATES, 10)
    finish(run)
    taken = run.take(3, 120)
    assert (taken.number, taken.step, taken.problem) == (3, UPDATES, "")
    trainer = Trainer(FOUR[3])
    trainer.restore(taken.checkpoint)
    record, last = trainer.frame(), max((each for each in run.measurements if each.number == 3), key=lambda m: m.step)
    assert (trainer.step, record.held_out_step) == (UPDATES, UPDATES)
    assert record.held_out_loss == pytest.approx(last.held_out_loss, rel=1e-6)
    opened = two.submit(FOUR[3], paused=True, until=UPDATES, checkpoint=taken.checkpoint)
    assert frame_of(opened).step == UPDATES
    opened.stop()
    run.stop()


def test_networks_train_only_while_somebody_watches_and_all_at_the_same_pace():
    clock = Clock()
    hosted = HostedSweep(OpenSweep(5, (stretch(FOUR, (0, 1), 500), stretch(FOUR, (2, 3), 500)), False), clock)
    hosted.train_for(0.5)
    report = hosted.report()
    assert report is not None and report.training and report.key == 5
    made = sorted(report.updates.values())
    assert made[1] - made[0] <= 2 * IN_A_ROW and made[0] > 0  # of two networks each
    clock.now += WATCHED_FOR + 1
    assert not hosted.wants_to_train() and hosted.next_event() == 0.0  # to say that it waits
    last = hosted.report()
    assert last is not None and not last.training and set(last.saved) == {0, 1}
    assert hosted.next_event() is None and hosted.report() is None
    hosted.watch()
    assert hosted.wants_to_train()
    hosted.pause()
    assert not hosted.wants_to_train()


def test_it_goes_on_from_what_it_saved():
    clock = Clock()
    first = HostedSweep(OpenSweep(0, (stretch(FOUR, (0, 1)),), False), clock)
    first.train_for(0.2)
    first.pause()
    report = first.report()
    assert report is not None and 0 < report.updates[0] < 2 * UPDATES
    second = HostedSweep(OpenSweep(0, tuple(report.saved.values()), False), clock)
    second.train_for(math.inf)
    end = second.report()
    assert end is not None and end.done
    assert without_seconds([*report.measurements, *end.measurements]) == expected(FOUR[:2])


def test_beside_runs_a_sweep_has_at_most_half_of_the_time():
    clock = Clock()
    connection = Connection()
    worker = Worker(connection, clock, clock)
    spent = {"run": 0.0, "sweep": 0.0}
    connection.orders = [
        Open(0, BASE.to_dict(), False, None, None),
        OpenSweep(1, (stretch(FOUR, (0, 1), 10_000_000),), False),
    ]
    worker.receive()
    run, sweep = worker.runs[0], worker.sweeps[1]
    for name, hosted in (("run", run), ("sweep", sweep)):
        train_for = hosted.train_for

        def timed(seconds, name=name, train_for=train_for):
            began = clock.now
            train_for(seconds)
            spent[name] += clock.now - began

        hosted.train_for = timed
    for _ in range(60):
        connection.orders.append(Order(1, "watch"))
        worker.receive()
        worker.take_turns()
    assert 0 < spent["sweep"] <= clock.now / 2 and spent["run"] > 0
    assert [each for each in connection.sent if isinstance(each, SweepReport)]


def test_a_sweep_that_fails_says_so_and_the_others_go_on(monkeypatch):
    connection = Connection()
    worker = Worker(connection, Clock(), Clock())
    connection.orders = [OpenSweep(key, (stretch(FOUR, (0, 1)),), False) for key in (1, 2)]
    worker.receive()
    monkeypatch.setattr(worker.sweeps[1], "train_for", lambda seconds: 1 / 0)
    for _ in range(20):
        worker.take_turns()
    (failed,) = [each for each in connection.sent if isinstance(each, SweepReport) and each.message]
    assert failed.key == 1 and "ZeroDivisionError" in failed.message and list(worker.sweeps) == [2]


def test_theorys_lines_are_those_of_the_lens():
    gains = (0.5, 1.0, 2.0, 4.0)
    e = BASE.replace(task="first_symbol_recall", hidden_size=8, init="orthogonal", seq_len=5)
    finder = LineFinder(MeasureLines(3, (e.to_dict(), e.replace(cell="gru").to_dict()), gains))
    messages = [finder.advance() for _ in range(finder.total)]
    assert [message.medians is None for message in messages] == [True] * 7 + [False]
    found = messages[-1].medians
    assert found is not None and found[:2] == pytest.approx((1, 1), abs=1e-5) and np.isnan(found[3:5]).all()
    chaos = gain_lines.gain_of_zero_exponent(gains, gain_lines.largest_exponents(e, gains))
    assert found[2] == pytest.approx(chaos)
