"""The losses of answers that are numbers, in NumPy: what simple answers are worth in the unit of a run's own loss."""

from __future__ import annotations

import numpy as np

from engine.tasks.batch import Batch

LOSSES = ("mse", "mae", "huber")
"""Squared error, absolute error, and Huber's: half the squared error up to 1, the absolute error less 1/2 beyond."""
HALVINGS = 60  # of the interval in which the best constant is looked for


def value_losses(kind: str, errors: np.ndarray) -> np.ndarray:
    """The loss of each error, float64 of the same shape. kind: one of LOSSES."""
    size = np.abs(errors.astype(np.float64))
    if kind == "mse":
        return size**2
    return size if kind == "mae" else np.where(size < 1, 0.5 * size**2, size - 0.5)


def losses_of_answers(kind: str, answers: dict[str, np.ndarray], batch: Batch) -> dict[str, float]:
    """{name: mean loss per counted step} of answers, averaged as a run's loss is: first over each sequence.

    Args:
        answers: {name: (T, batch, output_size)}, read where `batch.mask` is True. One that is not finite there is left
            out.
    """
    weights, found = batch.mask / batch.mask.sum(0) / batch.mask.shape[1], {}
    for name, answer in answers.items():
        errors = np.where(batch.mask[..., None], answer - batch.targets.astype(np.float64), 0.0)
        found[name] = float((value_losses(kind, errors).mean(-1) * weights).sum())
    return {name: loss for name, loss in found.items() if np.isfinite(loss)}


def best_constant_loss(kind: str, targets: np.ndarray) -> float:
    """The mean loss of the constant that is best for targets (n, output_size), one for each output."""
    targets = targets.astype(np.float64)
    if kind == "mse":
        return float(targets.var(axis=0).mean())
    low, high = targets.min(0), targets.max(0)
    for _ in range(HALVINGS):  # the loss is convex: its slope says on which side the best constant lies
        middle = (low + high) / 2
        errors = middle - targets
        slope = (np.sign(errors) if kind == "mae" else errors.clip(-1, 1)).mean(0)
        low, high = np.where(slope < 0, middle, low), np.where(slope < 0, high, middle)
    return float(value_losses(kind, (low + high) / 2 - targets).mean())
