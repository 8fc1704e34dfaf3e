"""What frames cost: updates per second with 5 frames a second, against a bare training loop around PyTorch's module.

Both train the same task with the same batches, optimiser and clipping, on one thread of this process, in alternating
turns. The median of the ratios is printed.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

import torch
from torch import nn

from benchmarks.measuring import CELLS, Settings, clock, head, ratios, row
from engine import cells
from engine.experiment import Experiment
from engine.tasks import sample
from engine.training import Trainer
from engine.workers.hosted_run import FRAMES_PER_SECOND
from engine.workers.worker import FRAME_SHARE, MAX_DEBT


class Bare:
    """The obvious alternative: PyTorch's module, a linear head, Adam and clipping."""

    def __init__(self, e: Experiment) -> None:
        self.e, self.step = e, 0
        self.recurrent = getattr(nn, cells.CELLS[e.cell].torch_layer)(2, e.hidden_size).to(e.device)
        self.head = nn.Linear(e.hidden_size, 1).to(e.device)
        self.parameters = [*self.recurrent.parameters(), *self.head.parameters()]
        self.optimizer = torch.optim.Adam(self.parameters, e.learning_rate)

    def advance(self) -> None:
        """One update."""
        self.step += 1
        batch = sample(self.e, self.e.batch_size, (self.e.seed, self.step))
        output, _ = self.recurrent(torch.tensor(batch.inputs, device=self.e.device))
        target = torch.tensor(batch.targets[-1], device=self.e.device)
        loss = nn.functional.mse_loss(self.head(output[-1]), target)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, self.e.clip_threshold)
        self.optimizer.step()
        loss.item()


def rate(advance: Callable[[], object], seconds: float, device: str) -> float:
    """Updates per second."""
    began, steps = clock(device), 0
    while (took := clock(device) - began) < seconds:
        advance()
        steps += 1
    return steps / took


class Watched:
    """Training with frames as a worker takes them: at most 5 a second, and at most FRAME_SHARE of the time."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer, self.device, self.took = trainer, trainer.experiment.device, []  # seconds of each frame
        self.credit = 0.0  # seconds for frames; may become negative, and later frames then wait, as in a worker
        self.begin()

    def begin(self) -> None:
        """Start a turn: do not count the time in which the other side was measured."""
        self.since = clock(self.device)
        self.due = self.since + 0.5 / FRAMES_PER_SECOND  # so that a second has 5, not 6

    def advance(self) -> None:
        """One update, and a frame if one is due."""
        before = self.trainer.measuring_seconds
        self.trainer.advance()
        self.credit = max(self.credit - self.trainer.measuring_seconds + before, min(self.credit, -MAX_DEBT))
        now = clock(self.device)
        self.credit, self.since = self.credit + FRAME_SHARE * (now - self.since), now
        if now >= self.due and self.credit > 0:
            self.trainer.frame()
            self.took.append(clock(self.device) - now)
            self.credit -= self.took[-1]
            self.due = max(self.due + 1 / FRAMES_PER_SECOND, now + 0.5 / FRAMES_PER_SECOND)


def tables(settings: Settings) -> None:
    """Print the table."""
    seconds, turns = (0.8, 3) if settings.quick else (1.2, 3)
    head(
        "Training while somebody looks: updates per second (adding, B = 32, H = 64, Adam, clip norm 1)",
        "T", "cell", "bare loop", "ours with frames", "ratio", "lowest", "highest", "ratio without frames",
        "a frame, ms", "frames/s",
    )  # fmt: skip
    for seq_len in (25, 100, 400):
        for cell in CELLS:
            e = Experiment(task="adding", cell=cell, seq_len=seq_len, batch_size=32, hidden_size=64,
                           device=settings.device)  # fmt: skip
            # More turns for the length for which there is a target.
            _measure(e, seconds, turns + 2 if seq_len == 100 else turns)


def _measure(e: Experiment, seconds: float, turns: int) -> None:
    bare, ours = Bare(e), Watched(Trainer(e))
    for advance in (bare.advance, ours.advance):
        rate(advance, 0.3, e.device)
    ours.took.clear()
    columns: list[list[float]] = [[], [], []]
    for _ in range(turns):
        columns[0].append(rate(bare.advance, seconds, e.device))
        ours.begin()
        columns[1].append(rate(ours.advance, seconds, e.device))
        columns[2].append(rate(ours.trainer.advance, seconds, e.device))
    bare_rates, frame_rates, update_rates = columns
    speeds = (f"{statistics.median(rates):.1f}" for rates in (bare_rates, frame_rates))
    relative = (f"{ratio:.3f}" for ratio in (*ratios(frame_rates, bare_rates), ratios(update_rates, bare_rates)[0]))
    frame, often = 1e3 * statistics.median(ours.took), len(ours.took) / seconds / turns
    row(e.seq_len, e.cell, *speeds, *relative, f"{frame:.1f}", f"{often:.1f}")
