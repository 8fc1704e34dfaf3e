"""Workers on a Ray cluster of two nodes: the same frames, and after every kind of death the runs go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from engine.frame import RunPhase
from engine.training import Trainer
from engine.workers import WEIGHTS, Pool, Run, silence
from engine.workers.worker_process import WorkerProcess
from tests.engine.conftest import assert_same
from tests.engine.two_nodes import TwoNodes
from tests.engine.workers.conftest import SMALL, frame_of, wait_for

pytest.importorskip("ray", reason="Ray is not installed: make test-cluster")

from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from engine.workers import ray_channel
from engine.workers.cluster import cluster_pool
from engine.workers.ray_channel import RayChannel

ECHO = "tests.engine.workers.echo"


class Unreadable:
    """A value that can be written, and not read again."""

    def __reduce__(self) -> tuple:
        return int, ("no number",)


@pytest.fixture(scope="module")
def pool(nodes: TwoNodes) -> Iterator[Pool]:
    """Two workers, both ready, one on each node."""
    pool = cluster_pool(nodes.address)
    for worker in pool._workers:
        wait_for(worker.ready.is_set)
    yield pool
    pool.shutdown()


@pytest.fixture
def channel(nodes: TwoNodes) -> Iterator[RayChannel]:
    """A worker that sends everything back."""
    channel = RayChannel(ECHO)
    yield channel
    channel.kill()


def channel_of(run: Run) -> RayChannel:
    """The channel of the worker that has this run."""
    assert isinstance(run._worker, WorkerProcess) and isinstance(run._worker.channel, RayChannel)
    return run._worker.channel


def pid_of(channel: RayChannel) -> int:
    """The process of a worker, once it has started."""
    wait_for(lambda: channel.where is not None)
    assert channel.where is not None
    return channel.where.pid


def stop(*runs: Run) -> None:
    """Leave the pool to the next test."""
    for run in runs:
        run.stop()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_messages_arrive_in_order_however_large(nodes, monkeypatch):
    """On the second node, where large ones take a way of their own."""
    there = NodeAffinitySchedulingStrategy(nodes.second, soft=False)
    monkeypatch.setattr(ray_channel, "ACTOR", ray_channel.ACTOR.options(scheduling_strategy=there))
    channel = RayChannel(ECHO)
    messages = [bytes(5 * 2**20), "small", bytes(2**20), *range(20)]
    for message in messages:
        channel.send(message)
    assert [channel.recv() for _ in messages] == messages
    assert not channel.poll(0)
    assert f"process {pid_of(channel)} on " in channel.name
    channel.kill()


def test_a_worker_that_ends_is_gone_for_whoever_sends_and_receives(channel):
    pid = pid_of(channel)
    channel.send("end")
    with pytest.raises(EOFError):
        channel.recv()
    assert channel.wait(60) == "ActorDiedError" and channel.poll(60)
    with pytest.raises(EOFError):
        channel.send("more")
    wait_for(lambda: not is_alive(pid))


def test_a_message_that_cannot_be_read_ends_the_worker(channel):
    channel.send(Unreadable())
    with pytest.raises(EOFError):
        channel.recv()


def test_a_stopped_process_is_killed(channel):
    pid = pid_of(channel)
    os.kill(pid, signal.SIGSTOP)
    channel.send("anybody there?")
    channel.kill()
    with pytest.raises(EOFError):
        channel.recv()
    assert channel.wait() == "killed"
    wait_for(lambda: not is_alive(pid))


def test_runs_train_on_both_nodes_as_the_trainer_alone_would(pool, nodes):
    runs = [pool.submit(SMALL.replace(seed=seed), paused=True) for seed in (0, 1)]
    for run in runs:
        frame_of(run)
        run.advance(17)
        alone = Trainer(run.experiment)
        for _ in range(17):
            alone.advance()
        assert_same(frame_of(run, lambda frame: frame.step == 17), alone.frame())
    assert len({channel_of(run).where.node for run in runs}) == 2
    stop(*runs)


def test_a_killed_actor_is_replaced_and_its_run_goes_on(pool):
    run = pool.submit(SMALL)
    wait_for(run._log.checkpoints.all)
    reached, old = run.status().step, channel_of(run)
    os.kill(pid_of(old), signal.SIGKILL)
    goes_on(run, reached)
    assert channel_of(run) is not old
    stop(run)


def test_a_run_goes_on_when_its_node_is_lost(pool, nodes):
    runs = [pool.submit(SMALL.replace(seed=seed)) for seed in (0, 1)]
    lost = next(run for run in runs if channel_of(run).where.node == nodes.second)
    wait_for(lost._log.checkpoints.all)
    reached = lost.status().step
    nodes.kill_second()
    try:
        goes_on(lost, reached)
        assert channel_of(lost).where.node != nodes.second
    finally:
        nodes.add_second()
        stop(*runs)


def test_a_silent_worker_is_replaced_and_answers_what_it_was_asked(nodes, monkeypatch):
    """Its run is paused, so that it may be silent until it is asked something."""
    monkeypatch.setattr(silence, "SILENT", 4)
    pool = cluster_pool(nodes.address, 1)
    run = pool.submit(SMALL, paused=True)
    frame_of(run)
    old = channel_of(run)
    os.kill(pid_of(old), signal.SIGSTOP)
    run.request(WEIGHTS)
    wait_for(lambda: channel_of(run) is not old)
    monkeypatch.undo()
    wait_for(lambda: not run.is_pending(WEIGHTS))
    assert run.result(WEIGHTS) is not None
    pool.shutdown()


def test_workers_end_with_the_process_of_their_pool(nodes):
    script = (
        "import os, sys\n"
        "from engine.workers.cluster import connect\n"
        "from tests.engine.workers.test_ray_channel import ECHO, RayChannel, pid_of\n"
        "connect(sys.argv[1])\n"
        "print(pid_of(RayChannel(ECHO)), flush=True)\n"
        "os._exit(1)"
    )
    output = subprocess.run([sys.executable, "-c", script, nodes.address], capture_output=True, text=True, check=False)
    pid = int(output.stdout)
    wait_for(lambda: not is_alive(pid))


def goes_on(run: Run, reached: int) -> None:
    """The run is trained on from its checkpoint, and says what happened."""
    wait_for(lambda: run.status().phase == RunPhase.STARTING)
    frame_of(run, lambda frame: frame.step > reached)
    assert "the last checkpoint" in run.status().message
    assert (run.history["step"][1:] > run.history["step"][:-1]).all()
