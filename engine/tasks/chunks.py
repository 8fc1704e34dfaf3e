"""Texts and series that are read on and on: their chunks, and the warm-up before what a carried state is judged on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.tasks.base import DataSettings, Passages, Task, full_lengths
from engine.tasks.batch import Batch

WARM_UP = 40
"""Steps that held-out sequences have at least, where the data are long enough, before those that count: an LSTM of 64
units then has the state of the whole past within a millionth or so."""


def warm_up(seq_len: int, longest: int) -> int:
    """Steps of the whole chunks that are read, from zero, before the chunk that counts. longest: of both together."""
    return min(-(-WARM_UP // seq_len), longest // seq_len - 1) * seq_len


class Chunks:
    """The chunks of an endless reading: `batch_size` sequences side by side that each go on where they were.

    A passage is cut into chunks of seq_len steps; what is left over at its end is not read, and neither is a chunk
    without any loss. Sequence b of a batch reads `per_sequence` chunks in a row, from number b * per_sequence on, and
    then the same again.
    """

    def __init__(self, passages: Passages, seq_len: int, batch_size: int) -> None:
        self.seq_len, self.batch_size = seq_len, batch_size
        self.inputs, self.targets, self.counted = (np.concatenate(each) for each in zip(*passages, strict=True))
        starts, begins, end = [], [], 0
        for _, _, counted in passages:
            whole = len(counted) // seq_len
            read = counted[: whole * seq_len].reshape(whole, seq_len).any(1)
            starts.append((end + np.arange(whole) * seq_len)[read])
            begins.append(~np.concatenate([[False], read])[:-1][read])  # nothing was read before it
            end += len(counted)
        self.starts, self.begins = np.concatenate(starts), np.concatenate(begins)
        self.per_sequence = len(self.starts) // batch_size

    def at(self, number: int) -> tuple[Batch, np.ndarray]:
        """Chunk `number`, from 0 on, of every sequence; and (batch,) bool, which of them do not go on but begin."""
        turn = number % self.per_sequence
        chosen = np.arange(self.batch_size) * self.per_sequence + turn
        at = self.starts[chosen] + np.arange(self.seq_len)[:, None]  # (T, batch)
        lengths = full_lengths(self.seq_len, self.batch_size)
        batch = Batch(self.inputs[at], self.targets[at], self.counted[at], lengths)
        return batch, self.begins[chosen] | (turn == 0)


@dataclass(frozen=True)
class WithWarmUp:
    """The data settings of sequences that are longer by the warm-up."""

    settings: DataSettings

    @property
    def task(self) -> str:
        """As of the settings."""
        return self.settings.task

    @property
    def task_options(self) -> dict[str, Any]:
        """As of the settings."""
        return self.settings.task_options

    @property
    def bug(self) -> str:
        """As of the settings."""
        return self.settings.bug

    @property
    def definition(self) -> Task:
        """As of the settings."""
        return self.settings.definition

    @property
    def rnn_type(self) -> str:
        """As of the settings."""
        return self.settings.rnn_type

    @property
    def seq_len(self) -> int:
        """Steps of the warm-up and of the chunk."""
        return self.settings.warm_up + self.settings.seq_len

    @property
    def shortest(self) -> int:
        """As of the settings."""
        return self.settings.shortest

    @property
    def horizon(self) -> int:
        """As of the settings."""
        return self.settings.horizon

    @property
    def warm_up(self) -> int:
        """None before these steps."""
        return 0

    @property
    def time_steps(self) -> int:
        """As of the settings, which count the warm-up already."""
        return self.settings.time_steps

    @property
    def seed(self) -> int:
        """As of the settings."""
        return self.settings.seed


def without_warm_up(batch: Batch, steps: int) -> Batch:
    """The same sequences, in whose first steps no loss is counted."""
    return replace(batch, mask=batch.mask & (np.arange(len(batch.mask))[:, None] >= steps))
