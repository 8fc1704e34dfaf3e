"""The batches of networks side by side: of every seed the batch that its own trainer draws, as tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from engine.experiment import Experiment
from engine.many.layout import padded
from engine.tasks import Batch, sample, task_of

SEQUENCES = 16
"""A batch is filled up to a multiple of so many sequences, for the reason for which `engine.many.layout` fills up."""


class SideBySide(NamedTuple):
    """A batch for each of S networks, filled up to B sequences each.

    `rows` are those outputs that may have a loss: B for many_to_one, else T * B.

    Args:
        inputs: (S, T * B, I), the input size filled up with zeros to I as in `engine.many.layout`.
        ends: (S, B) int64, the last real step.
        targets: (S, rows) int64 classes, or (S, rows, output_size) values.
        weights: (S, rows), the weight of each row's loss in L; 0 where none is counted.
    """

    inputs: Tensor
    ends: Tensor
    targets: Tensor
    weights: Tensor


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
        return SideBySide(*(part.expand(len(experiments), *part.shape[1:]) for part in drawn))
    seeds = list(of_seed)
    places = torch.tensor([seeds.index(e.seed) for e in experiments])
    return SideBySide(*(part[places] for part in drawn))


def to_tensors(experiment: Experiment, batches: Sequence[Batch], dtype: torch.dtype) -> SideBySide:
    """Join batches of one size. Sequences that fill them up repeat others, and have no loss."""
    task, size = task_of(experiment), len(batches[0].lengths)
    rows = np.arange(padded(size, SEQUENCES)) % size
    answers = [_answers(experiment, batch) for batch in batches]
    inputs = torch.tensor(np.stack([batch.inputs[:, rows] for batch in batches]))  # (S, T, B, ...)
    if task.inputs == "symbols":
        inputs = inputs[..., None] == torch.arange(task.input_size)
    targets = torch.tensor(np.stack([targets[:, rows] for targets, _ in answers]))
    targets = targets.clamp(min=0) if task.outputs == "symbols" else targets.to(dtype)
    weights = np.stack([weights[:, rows] for _, weights in answers])
    weights[..., size:] = 0
    return SideBySide(
        pad(inputs.to(dtype), (0, padded(task.input_size) - task.input_size)).flatten(1, 2),
        torch.tensor(np.stack([batch.lengths[rows] - 1 for batch in batches])),
        targets.flatten(1, 2),
        torch.tensor(weights, dtype=dtype).flatten(1),
    )


def _answers(e: Experiment, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """The targets of the steps with an output, (steps, B, ...), and the weights of their losses in L, (steps, B)."""
    size = len(batch.lengths)
    if e.rnn_type == "many_to_one":
        return batch.targets[batch.lengths - 1, np.arange(size)][None], np.full((1, size), 1 / size)
    counted = batch.mask / (1 if e.reduction == "sum" else batch.mask.sum(0))
    return batch.targets, counted / size
