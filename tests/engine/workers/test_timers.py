"""Measuring how long an update or a recurrence takes: in a real worker, beside runs, given up, when its worker dies."""

from __future__ import annotations

import os
import signal
import statistics

import torch

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.workers import Pool
from engine.workers.protocol import Measure, MeasureRecurrence
from engine.workers.timers import Timer, timer_of
from tests.engine.workers.conftest import SMALL, frame_of, wait_for

SHORT = Experiment(task="adding", seq_len=4, hidden_size=4, batch_size=4)
LONG = Experiment(task="adding", seq_len=400, hidden_size=64, batch_size=32)


def test_every_experiment_is_timed_as_often_and_the_medians_come_in_order():
    timer = timer_of(Measure(7, [SHORT.to_dict(), SHORT.replace(cell="rnn").to_dict()], 3))
    messages = [timer.advance() for _ in range(2 + 6)]
    assert [message.done for message in messages] == [0, 0, 1, 2, 3, 4, 5, 6] and {
        message.total for message in messages
    } == {6}
    assert [message.medians is None for message in messages] == [True] * 7 + [False]
    assert messages[-1].medians == tuple(statistics.median(each) for each in timer._seconds)
    assert {message.key for message in messages} == {7} and all(len(each) == 3 for each in timer._seconds)


def test_the_first_time_does_not_count():
    times = []
    timer = Timer(0, [lambda: lambda: times.append(1)], 2)
    while timer.advance().medians is None:
        pass
    assert len(times) == 1 + 2


def test_a_recurrence_is_timed_as_a_loop_and_as_a_scan():
    timer = timer_of(MeasureRecurrence(3, ((8, 2, 3), (64, 2, 3)), 2))
    assert (timer.key, timer.total) == (3, 2 * 2 * 2)
    for _ in range(4):
        assert timer.advance().done == 0
    loops, scans = timer._acts[::2], timer._acts[1::2]
    for looped, scanned in zip(loops, scans, strict=True):
        for one, other in zip(looped(), scanned(), strict=True):
            torch.testing.assert_close(one, other)
    assert [len(act()[0]) for act in timer._acts] == [8, 8, 64, 64]


def test_a_worker_measures_every_cell(pool):
    measurement = pool.measure([SHORT.replace(cell=cell) for cell in CELLS], repeats=2)
    assert measurement.running and measurement.result is None
    wait_for(lambda: not measurement.running)
    assert measurement.error == "" and measurement.progress == 1.0
    assert measurement.result is not None and len(measurement.result) == len(CELLS) and min(measurement.result) > 0


def test_a_worker_measures_a_recurrence(pool):
    measurement = pool.measure_recurrence([(64, 1, 16), (256, 1, 16)], repeats=2)
    wait_for(lambda: not measurement.running)
    assert measurement.error == "" and measurement.progress == 1.0
    assert measurement.result is not None and len(measurement.result) == 4 and min(measurement.result) > 0


def test_a_run_trains_on_while_something_is_measured(pool):
    run = pool.submit(SMALL)
    reached = frame_of(run).step
    measurement = pool.measure([LONG] * 3, repeats=50)
    wait_for(lambda: measurement.progress > 0)
    frame_of(run, lambda frame: frame.step > reached)
    assert run.status().step > reached
    measurement.stop()
    run.stop()


def test_what_is_given_up_ends_and_the_next_one_gets_its_turn(pool):
    first, second = pool.measure([LONG], repeats=100_000), pool.measure([SHORT], repeats=1)
    wait_for(lambda: first.progress > 0)
    assert second.progress == 0  # one after the other: two at once would measure each other
    first.stop()
    assert not first.running and first.result is None and first.error == ""
    wait_for(lambda: second.result is not None)
    second.stop()
    assert second.result is not None and not second.stopped


def test_an_experiment_that_breaks_ends_its_measurement_and_no_run(pool):
    run = pool.submit(SMALL)
    measurement = pool.measure([SHORT, Experiment(task="adding", seq_len=400, cell="rnn", nonlinearity="relu",
                                                  init="identity", init_gain=2.0, clip="none")])  # fmt: skip
    wait_for(lambda: not measurement.running)
    assert measurement.result is None
    assert measurement.error.startswith("The measurement ended with an error: NotFiniteError: Update 1 was not made")
    reached = run.status().step
    frame_of(run, lambda frame: frame.step > reached)
    run.stop()


def test_asked_before_the_worker_is_ready_it_is_measured_later():
    pool = Pool(1)
    measurement = pool.measure([SHORT], repeats=1)
    wait_for(lambda: measurement.result is not None)
    pool.shutdown()


def test_the_death_of_its_worker_ends_a_measurement_with_a_sentence():
    pool = Pool(1)
    measurement = pool.measure([LONG], repeats=100_000)
    wait_for(lambda: measurement.progress > 0)
    os.kill(pool.pids[0], signal.SIGKILL)
    wait_for(lambda: not measurement.running)
    assert measurement.error == "The worker process that measured has died, so there is no result."
    assert measurement.result is None
    again = pool.measure([SHORT], repeats=1)
    wait_for(lambda: again.result is not None)
    pool.shutdown()
