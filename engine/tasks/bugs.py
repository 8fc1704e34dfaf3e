"""Batches as a run with one of the bugs reads them that are in what a loss or a network is given."""

from __future__ import annotations

import dataclasses

import numpy as np

from engine.tasks.base import NO_SYMBOL
from engine.tasks.batch import Batch

LONGEST = 5
"""How many times as long as our longest sequence the one is to which all are padded, where padding is read."""
MOST_STEPS = 1000
"""Steps to which sequences are padded, at most."""


def padded_steps(seq_len: int) -> int:
    """To how many steps every sequence is padded, where padding is read as data."""
    return min(LONGEST * seq_len, MOST_STEPS)


def read_with_bug(bug: str, seq_len: int, batch: Batch) -> Batch:
    """The batch as a network with this bug reads it; the batch itself for bugs that are elsewhere."""
    if bug == "padding_read_as_data":
        return _padded(batch, padded_steps(seq_len))
    if bug == "loss_on_padding":
        padding = np.arange(len(batch.mask))[:, None] >= batch.lengths
        targets = np.where(padding.reshape(padding.shape + (1,) * (batch.targets.ndim - 2)), 0, batch.targets)
        return dataclasses.replace(
            batch,
            targets=targets.astype(batch.targets.dtype),
            mask=batch.mask | padding,
            lengths=np.full_like(batch.lengths, len(batch.inputs)),
            data_lengths=batch.lengths,
        )
    if bug == "loss_on_the_last_step":
        mask = np.zeros_like(batch.mask)
        mask[-1] = batch.mask[-1]
        return dataclasses.replace(batch, mask=mask)
    return batch


def _padded(batch: Batch, steps: int) -> Batch:
    """Padded to so many steps, or to its own if those are more; all are read, and the answer at the last."""
    steps = max(steps, len(batch.inputs))
    columns = np.arange(len(batch.lengths))
    answers = batch.targets[batch.lengths - 1, columns]
    mask = np.zeros((steps, len(columns)), bool)
    mask[-1] = True
    return dataclasses.replace(
        batch,
        inputs=_longer(np.where(_data(batch), batch.inputs, _nothing(batch.inputs)), steps),
        targets=np.broadcast_to(answers, (steps, *answers.shape)),
        mask=mask,
        lengths=np.full_like(batch.lengths, steps),
        data_lengths=batch.lengths,
    )


def _data(batch: Batch) -> np.ndarray:
    """Where inputs are data and not padding, broadcastable to them."""
    data = np.arange(len(batch.inputs))[:, None] < batch.lengths
    return data.reshape(data.shape + (1,) * (batch.inputs.ndim - 2))


def _nothing(inputs: np.ndarray) -> np.ndarray:
    """What padding is: no symbol, or the number 0."""
    return np.array(NO_SYMBOL if inputs.ndim == 2 else 0, inputs.dtype)


def _longer(inputs: np.ndarray, steps: int) -> np.ndarray:
    more = np.full((steps - len(inputs), *inputs.shape[1:]), _nothing(inputs), inputs.dtype)
    return np.concatenate([inputs, more])
