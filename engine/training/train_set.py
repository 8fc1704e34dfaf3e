"""What an update is trained on: new sequences, or some of a fixed set of them."""

from __future__ import annotations

from engine.experiment import Experiment
from engine.tasks import Batch, sample
from engine.tasks.base import stream


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
