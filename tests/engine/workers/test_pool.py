"""Runs in real worker processes: they train, pause, step, change, share, survive their worker, and end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from engine.experiment import Experiment, ExperimentError
from engine.frame import RunPhase
from engine.training import Trainer
from engine.workers import Pool, Run
from tests.engine.conftest import assert_same
from tests.engine.workers.conftest import SMALL, frame_of, wait_for


@pytest.fixture
def run(pool: Pool) -> Iterator[Run]:
    run = pool.submit(SMALL)
    yield run
    run.stop()


def test_the_first_frame_is_step_0_and_training_goes_on(pool):
    run = pool.submit(SMALL)
    wait_for(lambda: run._frame is not None)
    assert_same(run._frame, Trainer(SMALL).frame())
    assert frame_of(run, lambda frame: frame.step > 20).step > 20
    status = run.status()
    assert status.phase == RunPhase.RUNNING and status.share == 1.0 and status.step > 0
    wait_for(lambda: run.status().steps_per_second > 0)
    run.stop()
    assert run.status().phase == RunPhase.STOPPED


def test_a_run_starts_from_the_weights_that_it_was_given_also_after_its_worker_died(pool):
    other = Trainer(SMALL.replace(seed=7))
    run = pool.submit(SMALL, paused=True, weights=other.weights())
    expected = Trainer(SMALL, other.weights()).frame()
    wait_for(lambda: run._frame is not None)
    assert_same(run._frame, expected)
    os.kill(pool.pids[0], signal.SIGKILL)
    wait_for(lambda: "was replaced" in run.status().message and run.status().phase == RunPhase.PAUSED)
    assert_same(frame_of(run), expected)
    run.stop()


def test_nobody_looks_so_no_frame_is_taken_but_the_curve_grows(run):
    wait_for(lambda: run._frame is not None)
    first = run._frame
    wait_for(lambda: run.status().step > 200)
    assert run._frame is first
    assert run.history["step"][-1] > 100 and len(run.curve.looks()) == 1


def test_pause_holds_and_step_advances_by_one(run):
    frame_of(run, lambda frame: frame.step > 3)
    run.pause()
    wait_for(lambda: run.status().phase == RunPhase.PAUSED)
    held = frame_of(run, lambda frame: frame.step == run.status().step).step
    run.advance(1)
    assert frame_of(run, lambda frame: frame.step > held).step == held + 1
    assert run.status().phase == RunPhase.PAUSED
    run.advance(3)
    assert frame_of(run, lambda frame: frame.step >= held + 4).step == held + 4
    run.resume()
    frame_of(run, lambda frame: frame.step > held + 30)


def test_a_run_is_what_the_trainer_alone_would_do(pool):
    run, alone = pool.submit(SMALL, paused=True), Trainer(SMALL)
    frame_of(run)
    run.advance(17)
    for _ in range(17):
        alone.advance()
    assert_same(frame_of(run, lambda frame: frame.step == 17), alone.frame())
    run.stop()


def test_live_settings_change_without_a_restart(run):
    frame_of(run, lambda frame: frame.step > 5)
    run.update(learning_rate=0.5, clip="norm", clip_threshold=1e-4)
    before = run.status().step
    frame = frame_of(run, lambda frame: frame.step > before + 50)
    assert frame.clipped and frame.param_grad_norm_clipped == pytest.approx(1e-4)
    assert run.experiment.learning_rate == 0.5
    with pytest.raises(ExperimentError, match="seed must be unchanged"):
        run.update(seed=3)
    with pytest.raises(ExperimentError, match="clip must be none, norm or value"):
        run.update(clip="hard")


def test_speed_limits_the_updates(pool):
    run = pool.submit(SMALL, speed=25.0)
    frame_of(run)
    began, first = time.monotonic(), run.status().step
    wait_for(lambda: run.status().step >= first + 20)
    made, seconds = run.status().step - first, time.monotonic() - began
    assert made / seconds < 40  # unlimited, it makes thousands
    run.speed(None)
    wait_for(lambda: run.status().step > 500)
    run.stop()


def test_a_finished_run_says_so_and_goes_on_when_asked(pool):
    run = pool.submit(SMALL.replace(steps=30))
    wait_for(lambda: run.status().phase == RunPhase.FINISHED)
    assert frame_of(run, lambda frame: frame.step == 30).step == 30
    run.resume()
    wait_for(lambda: run.status().phase == RunPhase.FINISHED and run.status().step == 60)
    run.stop()


def test_numbers_that_are_not_finite_stop_the_run_with_a_sentence_however_often_it_is_trained(pool):
    run = pool.submit(Experiment(task="adding", seq_len=400, cell="rnn", nonlinearity="relu", hidden_size=8,
                                 init="identity", init_gain=2.0, clip="none"))  # fmt: skip
    wait_for(lambda: run.status().phase == RunPhase.REFUSED)
    said = run.status().message
    assert "Update 1 was not made" in said
    assert frame_of(run).diagnosis.kind == "not_finite"
    run.pause()
    for again in (run.resume, run.advance):
        run._message = ""  # as before the worker's answer
        again()
        wait_for(lambda: run.status().message == said and run.status().phase == RunPhase.REFUSED)
    run.stop()


def test_two_runs_share_one_worker(pool, run):
    other = pool.submit(SMALL.replace(seed=1))
    for each in (run, other):
        frame_of(each, lambda frame: frame.step > 10)
    wait_for(lambda: run.status().share == 0.5)
    other.stop()
    wait_for(lambda: run.status().share == 1.0)


def test_a_run_that_cannot_be_started_fails_with_a_sentence_and_harms_nobody(pool, run):
    bad = pool.submit(SMALL.replace(device="cuda"))
    wait_for(lambda: bad.status().phase in (RunPhase.FAILED, RunPhase.RUNNING))
    if bad.status().phase == RunPhase.FAILED:  # no CUDA here
        assert "device must be cpu or auto on this machine" in bad.status().message
    bad.stop()
    reached = run.status().step
    frame_of(run, lambda frame: frame.step > reached)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=lambda how: how.name)
def test_a_killed_worker_is_replaced_and_its_run_goes_on_and_says_so(how):
    pool = Pool(1)
    run = pool.submit(SMALL)
    wait_for(lambda: run._log.checkpoints.all())
    reached = run.status().step
    (old,) = pool.pids
    os.kill(old, how)
    wait_for(lambda: run.status().phase == RunPhase.STARTING)
    wait_for(lambda: run.status().phase == RunPhase.RUNNING)
    assert "worker process died and was replaced" in run.status().message and pool.pids != [old]
    frame_of(run, lambda frame: frame.step > reached)
    assert (run.history["step"][1:] > run.history["step"][:-1]).all()
    pool.shutdown()


def test_a_new_worker_is_told_of_many_large_runs_while_it_tells_of_them():
    """More than a pipe holds goes both ways at once: whoever only spoke, or only listened, would wait for ever."""
    pool = Pool(1)
    try:
        large = Experiment(cell="lstm", hidden_size=96, seq_len=100, batch_size=2, steps=1_000_000)
        trainer = Trainer(large)
        trainer.advance()
        checkpoint = trainer.checkpoint()
        assert len(checkpoint) > 2**18
        runs = [pool.submit(large.replace(seed=seed), paused=True) for seed in range(8)]
        for run in runs:
            frame_of(run)
            run._log.checkpoints.add(1, checkpoint)
            run._step, run._frame = 1, None
        os.kill(pool.pids[0], signal.SIGKILL)
        for run in runs:
            wait_for(lambda run=run: run._frame is not None)
            run.resume()
        for run in runs:
            frame_of(run, lambda frame: frame.step > 0)
    finally:
        pool.shutdown()


def test_a_run_that_kills_its_worker_twice_is_not_started_again():
    pool = Pool(1)
    run = pool.submit(SMALL, paused=True)  # it comes no further
    for expected in (RunPhase.PAUSED, RunPhase.FAILED):
        frame_of(run)
        wait_for(lambda: run._worker._working_on == run.key)
        os.kill(pool.pids[0], signal.SIGKILL)
        wait_for(lambda: run.status().phase in (RunPhase.STARTING, RunPhase.FAILED))
        wait_for(lambda expected=expected: run.status().phase == expected)
    assert "twice" in run.status().message and run.frames
    other = pool.submit(SMALL)
    frame_of(other, lambda frame: frame.step > 5)
    pool.shutdown()


def test_workers_end_with_the_pool_and_with_its_process():
    pool = Pool(1)
    frame_of(pool.submit(SMALL))
    (pid,) = pool.pids
    pool.shutdown()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    script = (
        "from engine.workers import Pool; import os, time\n"
        "pool = Pool(1); pool._workers[0].ready.wait(60); print(pool.pids[0], flush=True); os._exit(1)"
    )
    pid = int(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False).stdout)
    wait_for(lambda: not _alive(pid))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_pool_loads_no_torch():
    script = "import sys, engine.workers; print('torch' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert output == "False\n"


def test_a_worker_loads_no_pandas():
    """It would cost every worker 60 MiB; only a recording turned into a table needs it."""
    script = (
        "import sys, engine.workers.worker\n"
        "from engine.experiment import Experiment\n"
        "from engine.training import Trainer\n"
        "trainer = Trainer(Experiment(seq_len=4, hidden_size=4))\n"
        "trainer.advance(), trainer.frame(), trainer.checkpoint()\n"
        "print('torch' in sys.modules, 'pandas' in sys.modules)"
    )
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert output == "True False\n"
