"""Somebody's own data travel beside a run to its worker, once, and are forgotten there with the last run on them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.data import Dataset, read
from engine.data.defaults import defaults
from engine.experiment import Experiment, ExperimentError
from engine.frame import RunInfo, RunPhase
from engine.recording.own_data import describe, described
from engine.tasks import sample
from engine.tasks.own import known
from engine.training import Trainer
from engine.workers.brought_data import BroughtData
from engine.workers.protocol import Bring, Forget, Open, Order, Report
from engine.workers.run import Run
from engine.workers.worker import Worker
from tests.engine.conftest import assert_same
from tests.engine.own_data import Broken, experiment_on, labelled, series
from tests.engine.workers.conftest import frame_of, wait_for
from tests.engine.workers.test_loop import Clock, Connection


@pytest.mark.parametrize("make", [series, labelled])
def test_a_run_on_own_data_is_what_the_trainer_alone_would_do_and_so_is_a_branch(pool, make):
    e = experiment_on(make())
    run, alone = pool.submit(e, paused=True), Trainer(e)
    assert_same(frame_of(run), alone.frame())
    run.advance(17)
    for _ in range(17):
        alone.advance()
    assert_same(frame_of(run, lambda frame: frame.step == 17), alone.frame())
    branch = run.branch(17, {"learning_rate": 0.01}, paused=True, speed=None)
    run.stop()  # the branch alone uses them now
    wait_for(lambda: branch.status().phase == RunPhase.PAUSED)
    branch.advance(3)
    alone.update(learning_rate=0.01)
    for _ in range(3):
        alone.advance()
    assert_same(frame_of(branch, lambda frame: frame.step == 20), alone.frame())
    branch.stop()


def test_a_worker_that_replaces_a_dead_one_gets_the_data_again(pool):
    run = pool.submit(experiment_on(series()))
    frame_of(run, lambda frame: frame.step > 5)
    os.kill(pool.pids[0], signal.SIGKILL)
    wait_for(lambda: "was replaced" in run.status().message)
    step = run.status().step
    wait_for(lambda: run.status().step > step + 50)
    run.stop()


def test_data_that_no_task_can_be_made_of_end_the_run_in_a_sentence(pool):
    Broken.here = True
    try:
        run = pool.submit(experiment_on(series(kind=Broken, fingerprint="broken")))
    finally:
        Broken.here = False
    wait_for(lambda: run.status().phase == RunPhase.FAILED)
    said = run.status().message
    assert said == "The data sales.csv cannot be used: ValueError: the numbers are gone."
    other = pool.submit(experiment_on(series()))
    assert frame_of(other).step >= 0, "the others go on"
    other.stop()


def test_times_are_measured_on_own_data_too(pool):
    measurement = pool.measure([experiment_on(series()), Experiment(seq_len=4, hidden_size=2)], repeats=2)
    wait_for(lambda: not measurement.running)
    assert measurement.error == "" and len(measurement.result) == 2


def test_data_of_which_there_is_only_a_description_start_no_run(pool):
    real = experiment_on(series())
    recorded = Experiment.from_dict(real.to_dict(), described(describe(RunInfo.of(real))))
    assert recorded == real
    with pytest.raises(ExperimentError, match="bring the file first"):
        pool.submit(recorded)


# ---- once, and no longer than they are used


def test_each_dataset_is_sent_once_and_forgotten_with_its_last_user():
    one, other, data = series(), labelled(), BroughtData()
    assert [message.dataset for message in data.use(1, (one,))] == [one]
    assert data.use(2, (series(),)) == [], "the same options are the same data"
    assert [message.dataset for message in data.use(3, (one, other))] == [other]
    assert data.release(1) == data.release(2) == []
    assert len(data.release(3)) == 2 and data.release(3) == []
    assert len(data.use(4, (one,))) == 1
    data.clear()
    assert len(data.use(4, (one,))) == 1, "a new process has none"


def of_two_classes(folder: Path, *names: str) -> Dataset:
    """Two files of texts, with these names; the first has more words."""
    folder.mkdir()
    contents = ("a good film\n" * 20 + "good\n", "bad\n" * 20 + "so bad\n")
    for name, content in zip(names, contents, strict=True):
        (folder / name).write_text(content)
    return read([folder / name for name in names])


def test_files_of_the_same_bytes_and_other_names_are_other_classes(tmp_path):
    """A file is a class: named otherwise, the classes have other names, and may have another order."""
    both = [
        of_two_classes(tmp_path / "1", "pos.txt", "neg.txt"),
        of_two_classes(tmp_path / "2", "alpha.txt", "beta.txt"),
    ]
    assert both[0].options == both[1].options
    data, worker = BroughtData(), Worker(Connection(), Clock())
    for key, dataset in enumerate(both):
        run = Run(None, key, defaults(dataset).replace(hidden_size=4), paused=True, speed=None)
        opened(worker, *data.use(key, run.datasets), *run.restart_orders())
    tasks = [worker.runs[key].trainer.experiment.definition for key in (0, 1)]
    assert [task.output_labels for task in tasks] == [("neg", "pos"), ("alpha", "beta")]
    batches = [sample(worker.runs[key].trainer.experiment, 8, 1) for key in (0, 1)]
    answers = [batch.targets[batch.mask].tolist() for batch in batches]
    assert answers[0] == [1 - number for number in answers[1]] and set(answers[0]) == {0, 1}


def opened(worker: Worker, *messages: object) -> None:
    worker.connection.orders = list(messages)
    worker.receive()


def test_a_worker_forgets_data_when_it_is_told_to_and_no_run_holds_them():
    dataset = series(fingerprint="once")
    settings, worker = experiment_on(dataset).to_dict(), Worker(Connection(), Clock())
    bring = BroughtData().use(7, (dataset,))[0]
    assert isinstance(bring, Bring)
    opened(worker, bring, Open(7, settings, True, None, None))
    assert worker.runs[7].trainer.step == 0
    opened(worker, Order(7, "close"))
    assert known(dataset.options) is not None, "for the next run"
    opened(worker, Forget(bring.name))
    assert known(dataset.options) is None
    opened(worker, Open(8, settings, True, None, None))
    report = worker.connection.sent[-1]
    assert isinstance(report, Report) and report.phase == RunPhase.FAILED and "bring the file first" in report.message


def test_a_worker_loads_no_pandas_for_them():
    script = "import sys, engine.workers.protocol; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout == "False\n", done.stderr
