"""The batches of networks side by side: of every seed the batch that its own trainer draws, as tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from engine.experiment import Experiment
from engine.many.layout import padded
from engine.tasks import Batch, Task, sample, task_of

Made = TypeVar("Made")
SEQUENCES = 16
"""A batch is filled up to a multiple of so many sequences, for the reason for which `engine.many.layout` fills up."""


class SideBySide(NamedTuple):
    """A batch for each of S networks, filled up to B sequences each.

    `rows` are those outputs that may have a loss: B for many_to_one, else T * B.

    Args:
        inputs: (S, T * B, I), the input size filled up with zeros to I as in `engine.many.layout`.
        ends: (S, B) int64, the last real step; None if that is the last one of all sequences.
        targets: (S, rows) int64 classes, or (S, rows, output_size) values.
        weights: (S, rows), the weight of each row's loss in L; 0 where none is counted.
    """

    inputs: Tensor
    ends: Tensor | None
    targets: Tensor
    weights: Tensor

    def map(self, change: Callable[[Tensor], Tensor]) -> SideBySide:
        """Apply a function to every tensor."""
        ends = None if self.ends is None else change(self.ends)
        return SideBySide(change(self.inputs), ends, change(self.targets), change(self.weights))

    def on(self, device: torch.device) -> SideBySide:
        """The batch on a device. What the networks share is moved once."""
        return self.map(lambda part: shared(part).to(device).expand(part.shape))


def shared(part: Tensor) -> Tensor:
    """What a tensor holds: a single row (1, ...) where all networks have the same one."""
    return part[:1] if part.stride(0) == 0 else part


def draw(experiments: Sequence[Experiment], step: int, dtype: torch.dtype) -> SideBySide:
    """Draw what each network's own trainer draws for the update that makes this step."""
    return of_each_seed(experiments, lambda e: sample(e, e.batch_size, (e.seed, step)), dtype)


def of_each_seed(
    experiments: Sequence[Experiment], make: Callable[[Experiment], Batch], dtype: torch.dtype
) -> SideBySide:
    """Join the batches of experiments; that of each seed is made once, because nothing else changes it."""
    of_seed = {e.seed: e for e in experiments}
    drawn = to_tensors(experiments[0], [make(e) for e in of_seed.values()], dtype)
    if len(of_seed) == 1:
        return drawn.map(lambda part: part.expand(len(experiments), *part.shape[1:]))
    if len(of_seed) == len(experiments):
        return drawn
    seeds = list(of_seed)
    places = torch.tensor([seeds.index(e.seed) for e in experiments])
    return drawn.map(lambda part: part[places])


def for_each_seed(experiments: Sequence[Experiment], make: Callable[[Experiment], Made]) -> list[Made]:
    """What is made of the data of each experiment; that of each seed is made once."""
    made = {seed: make(e) for seed, e in {e.seed: e for e in experiments}.items()}
    return [made[e.seed] for e in experiments]


def to_tensors(experiment: Experiment, batches: Sequence[Batch], dtype: torch.dtype) -> SideBySide:
    """Join batches of one size. Sequences that fill them up repeat others, and have no loss."""
    e, task = experiment, task_of(experiment)
    inputs, lengths, mask = (
        np.stack([getattr(each, name) for each in batches]) for name in ("inputs", "lengths", "mask")
    )
    targets = np.stack([each.targets for each in batches])  # (S, T, B, ...)
    steps, size = mask.shape[1:]
    if e.rnn_type == "many_to_one":
        weights = np.full((len(batches), 1, size), 1 / size)
        targets = _at(targets, lengths - 1)[:, np.newaxis]
    else:
        weights = mask / (size * (1 if e.reduction == "sum" else mask.sum(1, keepdims=True)))
    rows = np.arange(padded(size, SEQUENCES)) % size
    if len(rows) > size:
        inputs, targets, weights = (np.take(each, rows, axis=2) for each in (inputs, targets, weights))
        lengths, weights[..., size:] = lengths[:, rows], 0
    answers = torch.tensor(targets).flatten(1, 2)
    return SideBySide(
        _encoded(inputs, task, dtype).flatten(1, 2),
        None if (lengths == steps).all() else torch.tensor(lengths - 1),
        answers.clamp_(min=0) if task.outputs == "symbols" else answers.to(dtype),
        torch.tensor(weights, dtype=dtype).flatten(1),
    )


def _at(values: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Values (S, T, B, ...) at one step of each sequence, (S, B)."""
    networks, _, sequences = values.shape[:3]
    return values[np.arange(networks)[:, np.newaxis], ends, np.arange(sequences)]


def _encoded(inputs: np.ndarray, task: Task, dtype: torch.dtype) -> Tensor:
    """Inputs (S, T, B, ...) as vectors of numbers, (S, T, B, I): symbols in one-hot code, where NO_SYMBOL is 0."""
    width = padded(task.input_size)
    if task.inputs == "symbols":
        return (torch.tensor(inputs)[..., None] == torch.arange(width)).to(dtype)
    return pad(torch.tensor(inputs, dtype=dtype), (0, width - task.input_size))
