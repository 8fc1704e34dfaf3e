"""How much is left to guess: baselines counted out over every sequence that a task can deal."""

from __future__ import annotations

import numpy as np


def conditional_entropy(known: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> float:
    """The least loss, in nats, of an answer that may look at `known` and at nothing else.

    Args:
        known: (n,) int64, what is seen; the same number everywhere for an answer that sees nothing.
        targets: (n,) int64 classes.
        weights: (n,) float64, how much each answer counts.
    """
    _, known = np.unique(known, return_inverse=True)
    joint = np.zeros((known.max() + 1, targets.max() + 1))
    np.add.at(joint, (known, targets), weights / weights.sum())
    shares = joint / joint.sum(1, keepdims=True)
    return float(-(joint * np.log(shares, where=joint > 0, out=np.zeros_like(joint))).sum())


def unasked(targets: np.ndarray, mask: np.ndarray, shares: np.ndarray) -> tuple[float, float]:
    """The least losses, in nats, of a speaker that never heard the question.

    They average as the model's loss does: over the counted steps of a sequence, then over the sequences.

    Args:
        targets, mask: (T, n) every sequence of answers that there is, counted from step 0 on.
        shares: (n,) how often each is asked for.

    Returns:
        What is left when only the place in the answer is known, and when the symbols before it are known as well.
    """
    place = np.broadcast_to(np.arange(len(mask))[:, None], mask.shape)
    said = np.zeros(mask.shape, np.int64)
    for t in range(1, len(mask)):  # one number for each different beginning
        _, said[t] = np.unique(said[t - 1] * (targets.max() + 1) + targets[t - 1], return_inverse=True)
    weights = (shares * mask / mask.sum(0))[mask]
    before = (place * mask.shape[1] + said)[mask]
    return (
        conditional_entropy(place[mask], targets[mask], weights),
        conditional_entropy(before, targets[mask], weights),
    )
