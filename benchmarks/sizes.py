"""Bytes per frame: from the worker through its pipe to the server, and from there over the socket to a browser."""

from __future__ import annotations

import pickle
from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

from app.figures import applicable
from app.live.feed import Feed
from benchmarks.measuring import CELLS, Settings, head, row
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo, RunPhase, RunStatus
from engine.frame.readings import ON_DEMAND_READINGS
from engine.recording.history import History, Waterfall
from engine.training import Trainer


class Shown:
    """A stand-in for the run of a feed, without a worker. `frame` is its newest frame."""

    def __init__(self, e: Experiment) -> None:
        self.info, self.experiment = RunInfo.of(e), e
        self.curve, self.waterfall, self.frame = History(), Waterfall(), None
        self.frames, self.branched_at = [], None

    def latest(self, requested: Collection[str] = ()) -> Frame | None:
        """The newest frame, whatever is requested."""
        return self.frame

    def info_at(self, step: int) -> RunInfo:
        """The same at every step, because no live change is made."""
        return self.info

    def status(self) -> RunStatus:
        """Always running."""
        return RunStatus(RunPhase.RUNNING, 0, 0.0, 1.0, "")


def tables(settings: Settings) -> None:
    """Print the table."""
    head(
        "KiB per frame (sine, many to many, H = 64): through the worker's pipe, and to the browser that shows it all",
        "T", "cell", "pipe, light", "pipe, full", "browser, first", "browser, light", "browser, full",
    )  # fmt: skip
    for seq_len in (25, 100, 400):
        for cell in CELLS:
            e = Experiment(task="sine", rnn_type="many_to_many", cell=cell, seq_len=seq_len, hidden_size=64,
                           device=settings.device)  # fmt: skip
            trainer = Trainer(e)
            frames = []
            for requested in ((), (), ON_DEMAND_READINGS):
                frames.append(trainer.frame(requested))
                trainer.advance()
            piped = [len(pickle.dumps(frame, pickle.HIGHEST_PROTOCOL)) for frame in frames[1:]]
            row(seq_len, cell, *(f"{size / 1024:.0f}" for size in [*piped, *_sent(e, frames)]))


def _sent(e: Experiment, frames: list[Frame]) -> list[int]:
    """Bytes of each frame's message to one browser that shows every figure; the first draws all of them."""
    run: Any = Shown(e)
    feed = Feed(SimpleNamespace(run=run, ghost=None, beside={}, changes=()))  # type: ignore[arg-type]
    feed.seen = frozenset(applicable(run.info))
    sizes = []
    for run.frame in frames:
        sizes.append(len(feed.frame() or b""))
    return sizes
