"""What a run would have been without disturbances: the same updates by a trainer alone, to the last bit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from io import BytesIO

import torch

from engine.recording import Recording
from engine.training import Trainer


@dataclass(frozen=True)
class Comparison:
    """A recorded run beside an undisturbed one.

    Args:
        last: the step to which both were compared.
        updates, frames: how many losses of updates, and losses of the probe, were compared.
        differ: the steps at which any of them is another number.
    """

    last: int
    updates: int
    frames: int
    differ: tuple[int, ...]


def compare(recording: bytes) -> Comparison:
    """Train the recorded run again, without disturbances, and compare all losses that were kept."""
    torch.set_num_threads(1)  # as in a worker
    torch.set_flush_denormal(True)
    recorded = Recording.load(BytesIO(recording))
    losses = {int(row["step"]): float(row["loss"]) for row in recorded.updates}
    probe = {frame.step: frame.probe_loss for frame in recorded.frames}
    trainer, differ = Trainer(recorded.experiment), set[int]()
    planned = list(recorded.changes)
    last = max([*losses, *probe])
    while True:
        if trainer.step in probe and not _same(trainer.frame().probe_loss, probe[trainer.step]):
            differ.add(trainer.step)
        if trainer.step == last:
            return Comparison(last, len(losses), len(probe), tuple(sorted(differ)))
        while planned and planned[0][0] <= trainer.step:
            trainer.update(**planned.pop(0)[1])
        loss = trainer.advance()
        if trainer.step in losses and not _same(loss, losses[trainer.step]):
            differ.add(trainer.step)


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))
