"""A run that is watched for four hours takes no more memory than after its first hour. Nothing waits for a clock."""

from __future__ import annotations

import dataclasses
import gc
import pickle
from pathlib import Path

import pytest

from app.hub import RunSlot
from app.live.feed import Feed
from app.run_start import Start
from app.stage.feed import STAGE
from engine.experiment import Experiment
from engine.frame import RunPhase
from engine.training import Trainer
from engine.workers import Run
from engine.workers.protocol import CheckpointSaved, Report
from engine.workers.run_log import MAX_FRAMES

HOUR = 3600  # frames, at one a second
UPDATES = 12  # between two frames
MAX_GROWTH = 6.0  # MiB in three hours; 50 kB a frame would make 500
EXPERIMENT = Experiment(cell="rnn", hidden_size=32, seq_len=40)


class OnePool:
    """Gives its only run to whoever asks."""

    def __init__(self) -> None:
        self.run = Run(self, 0, EXPERIMENT, paused=False, speed=None)  # type: ignore[arg-type]

    def submit(self, experiment: Experiment, **rest: object) -> Run:
        return self.run


def memory() -> float:
    """MiB that this process holds, without what nobody uses any more."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


@pytest.mark.full
def test_four_hours_of_frames_take_no_more_memory_than_one():
    slot = RunSlot(OnePool(), "", Start(EXPERIMENT), speed="max")  # type: ignore[arg-type]
    feed = Feed(slot)
    feed.seen = frozenset({STAGE, "gradient", "loss", "waterfall"})
    first = Trainer(EXPERIMENT).frame()
    checkpoint, held, sent = bytes(200_000), [], 0
    for number in range(4 * HOUR):
        step = number * UPDATES
        frame = pickle.loads(pickle.dumps(dataclasses.replace(first, step=step, held_out_step=step)))
        updates = [(step - UPDATES + k, 1.0, 1.0, False) for k in range(1, UPDATES + 1) if number]
        slot.run.receive(Report(0, RunPhase.RUNNING, step, 12.0, 1.0, "", None, updates, (), frame))
        slot.run.receive(CheckpointSaved(0, step, checkpoint + number.to_bytes(4)))
        if number % 4 == 0:  # the other three are missed while the browser paints
            feed.news()
            sent += feed.frame() is not None
        if (number + 1) % HOUR == 0:
            held.append(memory())
    assert sent == HOUR and len(slot.run.frames) <= MAX_FRAMES + 1
    assert slot.run.frames[0].step == 0 and slot.run.frames[-1].step == (4 * HOUR - 1) * UPDATES
    assert held[-1] - held[0] < MAX_GROWTH, held
