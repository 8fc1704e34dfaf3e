"""Measuring how long an update takes: in a real worker, beside runs, given up, and when its worker dies."""

from __future__ import annotations

import os
import signal
import statistics

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.workers import Pool
from engine.workers.protocol import Measure
from engine.workers.update_timer import UpdateTimer
from tests.engine.workers.conftest import SMALL, frame_of, wait_for

SHORT = Experiment(task="adding", seq_len=4, hidden_size=4, batch_size=4)
LONG = Experiment(task="adding", seq_len=400, hidden_size=64, batch_size=32)


def test_every_experiment_is_timed_as_often_and_the_medians_come_in_order():
    timer = UpdateTimer(Measure(7, [SHORT.to_dict(), SHORT.replace(cell="rnn").to_dict()], 3))
    messages = [timer.advance() for _ in range(2 + 6)]
    assert [message.done for message in messages] == [0, 0, 1, 2, 3, 4, 5, 6] and {
        message.total for message in messages
    } == {6}
    assert [message.medians is None for message in messages] == [True] * 7 + [False]
    assert messages[-1].medians == tuple(statistics.median(each) for each in timer._seconds)
    assert {message.key for message in messages} == {7} and all(len(each) == 3 for each in timer._seconds)


def test_the_first_update_of_a_network_does_not_count():
    timer = UpdateTimer(Measure(0, [SHORT.to_dict()], 2))
    while timer.advance().medians is None:
        pass
    assert timer._trainers[0].step == 1 + 2


def test_a_worker_measures_every_cell(pool):
    measurement = pool.measure([SHORT.replace(cell=cell) for cell in CELLS], repeats=2)
    assert measurement.running and measurement.result is None
    wait_for(lambda: not measurement.running)
    assert measurement.error == "" and measurement.progress == 1.0
    assert measurement.result is not None and len(measurement.result) == len(CELLS) and min(measurement.result) > 0


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
