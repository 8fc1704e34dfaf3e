"""What an update is trained on: new sequences, some of a fixed set of them, or the next chunk of a text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from engine.experiment import Experiment
from engine.model.carried_state import CarriedState
from engine.tasks import Batch, sample, task_of
from engine.tasks.base import stream
from engine.tasks.chunks import Chunks
from engine.tasks.unknown_words import has_unknown, hide_words


def train_set(experiment: Experiment) -> Batch | None:
    """The sequences that a run is trained on, where they are fixed; None for an endless stream of new ones."""
    return sample(experiment, experiment.train_set, (experiment.seed, 0)) if experiment.train_set else None


def train_batch(experiment: Experiment, step: int, fixed: Batch | None) -> Batch:
    """The training batch of an update, which depends on the settings, the seed and the step alone.

    Args:
        step: number of the update, from 1 on.
        fixed: what `train_set` gave.
    """
    if fixed is None:
        return sample(experiment, experiment.batch_size, (experiment.seed, step))
    count = len(fixed.lengths)
    if count <= experiment.batch_size:
        return fixed
    rng = stream((experiment.seed, step), "choosing")
    return fixed.some(rng.choice(count, experiment.batch_size, replace=False))


def chunks(experiment: Experiment) -> Chunks | None:
    """What a run reads that carries its state on; None without."""
    passages = task_of(experiment).passages
    if not experiment.carry_state or passages is None:
        return None
    return Chunks(passages(experiment), experiment.seq_len, experiment.batch_size)


def train_chunk(experiment: Experiment, step: int, read: Chunks) -> tuple[Batch, np.ndarray]:
    """The chunk of an update, and which of its sequences begin anew, (batch,) bool: a function of seed and step alone.

    Args:
        step: number of the update, from 1 on.
    """
    batch, begins = read.at(step - 1)
    if has_unknown(task_of(experiment).input_labels):
        batch = hide_words(stream((experiment.seed, step), "hiding"), batch)
    return batch, begins


class TrainingData:
    """The batches of a run, and with `carry_state` the state with which the next one begins."""

    def __init__(self, experiment: Experiment) -> None:
        self._fixed, self._chunks = train_set(experiment), chunks(experiment)
        self._carried = self._before = CarriedState()  # after the last update, and what it began with

    def of_update(self, experiment: Experiment, step: int) -> tuple[Batch, CarriedState | None]:
        """The batch of update `step`, from 1 on; and the state to begin with, if one is carried on, else None."""
        if self._chunks is None:
            return train_batch(experiment, step, self._fixed), None
        batch, begins = train_chunk(experiment, step, self._chunks)
        return batch, self._carried.going_on(begins)

    def carry(self, state: CarriedState | None) -> None:
        """Take the state that an update has left."""
        if state is not None:
            self._before, self._carried = self._carried, state

    def step_back(self) -> None:
        """Have the state before the last update again."""
        self._carried = self._before

    def state(self) -> list[Tensor]:
        """For a checkpoint: the tensors of the state."""
        return self._carried.tensors()

    def restore(self, tensors: Sequence[Tensor], device: torch.device) -> None:
        """The inverse of `state`; the network is on this device."""
        self._carried = self._before = CarriedState.of_tensors(tensors, device)
