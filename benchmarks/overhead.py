"""What looking costs: updates per second with frames at 5 a second, against a bare loop around the library's module.

Both sides train the same task with the same batches, optimiser and clipping, on one thread of this process, in turn,
several times; the median of the ratios is printed. `python -m benchmarks.overhead [seconds per side] [turns]`.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable

from engine.workers.process import ENVIRONMENT

if any(os.environ.get(name) != value for name, value in ENVIRONMENT.items()):  # as the workers have it, for both sides
    os.execve(
        sys.executable, [sys.executable, "-m", "benchmarks.overhead", *sys.argv[1:]], {**os.environ, **ENVIRONMENT}
    )

import torch
from torch import nn

from engine.cells.layers import LIBRARY
from engine.experiment import Experiment
from engine.tasks import sample
from engine.training import Trainer
from engine.workers.worker import FRAME_SHARE, FRAMES_PER_SECOND

LENGTHS, CELLS = (25, 100, 400), ("rnn", "gru", "lstm")


class Bare:
    """The obvious alternative: the library's module, a linear head, Adam, clipping, nothing else."""

    def __init__(self, e: Experiment) -> None:
        self.e, self.step = e, 0
        self.recurrent, self.head = LIBRARY[e.cell](2, e.hidden_size), nn.Linear(e.hidden_size, 1)
        self.parameters = [*self.recurrent.parameters(), *self.head.parameters()]
        self.optimizer = torch.optim.Adam(self.parameters, e.learning_rate)

    def advance(self) -> None:
        """One update."""
        self.step += 1
        batch = sample(self.e, self.e.batch_size, (self.e.seed, self.step))
        output, _ = self.recurrent(torch.tensor(batch.inputs))
        loss = nn.functional.mse_loss(self.head(output[-1]), torch.tensor(batch.targets[-1]))
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, self.e.clip_threshold)
        self.optimizer.step()
        loss.item()


def rate(advance: Callable[[], object], seconds: float) -> float:
    """Updates per second."""
    began, steps = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        advance()
        steps += 1
    return steps / (time.perf_counter() - began)


class Watched:
    """Training with frames as a worker takes them: at most 5 a second, and at most FRAME_SHARE of the time."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer, self.took = trainer, []
        self.begin()

    def begin(self) -> None:
        """Forget the time that the other side had."""
        self.since = self.due = time.perf_counter()
        self.credit = 0.0

    def advance(self) -> None:
        """One update, and a frame if one is due."""
        self.trainer.advance()
        now = time.perf_counter()
        self.credit, self.since = self.credit + FRAME_SHARE * (now - self.since), now
        if now >= self.due and self.credit > 0:
            self.trainer.frame()
            self.took.append(time.perf_counter() - now)
            self.credit -= self.took[-1]
            self.due = max(self.due + 1 / FRAMES_PER_SECOND, now + 0.5 / FRAMES_PER_SECOND)


def main(seconds: float, turns: int) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    print("B = 32, H = 64, adding, Adam, clip norm 1, one thread; updates per second")
    print("   T cell      bare     ours   ratio  lowest highest   frame ms  frames/s")
    for seq_len in LENGTHS:
        for cell in CELLS:
            e = Experiment(task="adding", cell=cell, seq_len=seq_len, batch_size=32, hidden_size=64)
            bare, ours = Bare(e), Watched(Trainer(e))
            for side in (bare, ours):
                rate(side.advance, 0.5)
            ours.took.clear()
            pairs = []
            for _ in range(turns):
                theirs = rate(bare.advance, seconds)
                ours.begin()
                pairs.append((theirs, rate(ours.advance, seconds)))
            ratios = [mine / theirs for theirs, mine in pairs]
            theirs, mine = (statistics.median(column) for column in zip(*pairs, strict=True))
            ratio, frame = statistics.median(ratios), 1e3 * statistics.median(ours.took)
            row = f"{seq_len:4} {cell:5} {theirs:8.1f} {mine:8.1f} {ratio:7.3f} {min(ratios):7.3f} {max(ratios):7.3f}"
            print(f"{row} {frame:10.1f} {len(ours.took) / seconds / turns:9.1f}", flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0, int(sys.argv[2]) if len(sys.argv) > 2 else 5)
