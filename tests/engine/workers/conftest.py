"""A pool with one real worker process for each file, and how its tests wait for what a run does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from engine.experiment import Experiment
from engine.frame import Frame
from engine.workers import Pool, Run

PAUSE = threading.Event()  # never set: a short breath between two polls
SMALL = Experiment(hidden_size=4, seq_len=6, batch_size=4, steps=1_000_000)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    pool = Pool(1)
    yield pool
    pool.shutdown()


def wait_for(true: Callable[[], object], seconds: float = 120.0) -> None:
    """Poll a condition; the limit only ends a test that has failed."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never happened"
        PAUSE.wait(0.002)


def frame_of(run: Run, wanted: Callable[[Frame], bool] = lambda frame: True) -> Frame:
    """The first frame that is as wanted."""
    wait_for(lambda: (frame := run.latest()) is not None and wanted(frame))
    frame = run.latest()
    assert frame is not None
    return frame
