"""Sweeps on a Ray cluster of two nodes: the rows of this machine, also after a node or the whole sweep was killed."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.experiment import Experiment
from engine.many.stretch import Failed, Trained
from engine.sweeps.local import Local
from engine.sweeps.row import Row
from engine.sweeps.sweep import Progress, sweep
from tests.engine.sweeps.test_sweep import EMPTY
from tests.engine.two_nodes import TwoNodes

pytest.importorskip("ray", reason="Ray is not installed: make test-cluster")

from engine.sweeps.places import place_named
from engine.sweeps.ray_tasks import RayTasks

ROOT = Path(__file__).parents[3]
BASE = Experiment(task="adding", cell="rnn", hidden_size=8, batch_size=8)
GRID = [BASE.replace(seq_len=length, init_gain=gain) for length in (6, 9) for gain in (0.5, 1.0)]
UPDATES, EVERY, SECONDS = 60, 20, 0.05


def swept(on: Local | RayTasks, **options: object) -> list[Row]:
    rows = sweep(GRID, UPDATES, on, measure_every=EVERY, seconds=SECONDS, **options)
    return sorted(rows, key=lambda row: (row.number, row.step))


@pytest.fixture(scope="module")
def expected() -> list[Row]:
    """The rows of this machine."""
    return swept(Local(1))


@pytest.fixture
def place(nodes: TwoNodes) -> Iterator[RayTasks]:
    place = RayTasks()
    yield place
    place.close()


def test_rows_are_those_of_this_machine(nodes, monkeypatch, expected):
    monkeypatch.setenv("PLAYGROUND_CLUSTER", nodes.address)
    place = place_named("ray", 2)
    assert swept(place) == expected
    assert not place._submitted and not place._waiting


def test_a_lost_node_costs_its_stretch_and_no_row(place, nodes, expected):
    def lose_once(progress: Progress) -> None:
        if not lost:
            lost.append(progress)
            nodes.kill_second()

    lost: list[Progress] = []
    try:
        assert swept(place, on_progress=lose_once) == expected
    finally:
        nodes.add_second()
    assert lost[0].made < lost[0].total


def test_an_error_there_is_a_sentence_here(place):
    place.submit(dataclasses.replace(EMPTY, numbers=(0,), experiments=({**BASE.to_dict(), "cell": "gone"},)))
    _, outcome = place.next()
    assert isinstance(outcome, Failed) and "cell must be" in outcome.reason


def test_closing_ends_what_is_being_trained(place, nodes):
    for number in range(3):
        forever = dataclasses.replace(
            EMPTY, numbers=(number,), experiments=(BASE.to_dict(),), updates=10**6, seconds=1e6
        )
        place.submit(forever)
    place.close()
    place.submit(dataclasses.replace(EMPTY, numbers=(0,), experiments=(BASE.to_dict(),)))
    _, outcome = place.next()
    assert isinstance(outcome, Trained) and outcome.done


def test_a_sweep_that_was_killed_goes_on_and_has_the_same_rows(place, nodes, expected, tmp_path):
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from engine.workers.cluster import connect\n"
        "from tests.engine.sweeps.test_ray_tasks import RayTasks, swept\n"
        "connect(sys.argv[1])\n"
        "swept(RayTasks(), folder=Path(sys.argv[2]), on_progress=lambda progress: print(progress.made, flush=True))"
    )
    command = [sys.executable, "-c", script, nodes.address, str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and int(process.stdout.readline()) > 0  # a stretch is on disk
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    progress: list[Progress] = []
    assert swept(place, folder=tmp_path, on_progress=progress.append) == expected
    assert progress, "nothing was left to do: the sweep was not killed in the middle"
