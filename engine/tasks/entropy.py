"""Baselines of generated tasks as conditional entropies, computed over every sequence that a task can draw."""

from __future__ import annotations

import numpy as np


def conditional_entropy(known: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> float:
    """Lowest possible cross-entropy, in nats, of an answer that depends on `known` alone.

    Args:
        known: (n,) int64, the information available; all equal for an answer without any.
        targets: (n,) int64 classes.
        weights: (n,) float64, the weight of each answer in the loss.
    """
    _, known = np.unique(known, return_inverse=True)
    joint = np.zeros((known.max() + 1, targets.max() + 1))
    np.add.at(joint, (known, targets), weights / weights.sum())
    shares = joint / joint.sum(1, keepdims=True)
    return float(-(joint * np.log(shares, where=joint > 0, out=np.zeros_like(joint))).sum())


def answer_baselines(targets: np.ndarray, mask: np.ndarray, shares: np.ndarray) -> tuple[float, float]:
    """Lowest possible losses, in nats, of a decoder that does not read the source.

    They are averaged like the model's loss: over the counted steps of a sequence, then over the sequences.

    Args:
        targets, mask: (T, n) all possible answers; each starts at step 0.
        shares: (n,) the probability of each.

    Returns:
        The loss given the position in the answer, and given the earlier symbols of the answer as well.
    """
    place = np.broadcast_to(np.arange(len(mask))[:, None], mask.shape)
    prefix = np.zeros(mask.shape, np.int64)
    for t in range(1, len(mask)):  # a distinct number for each different prefix
        _, prefix[t] = np.unique(prefix[t - 1] * (targets.max() + 1) + targets[t - 1], return_inverse=True)
    weights = (shares * mask / mask.sum(0))[mask]
    place_and_prefix = (place * mask.shape[1] + prefix)[mask]
    return (
        conditional_entropy(place[mask], targets[mask], weights),
        conditional_entropy(place_and_prefix, targets[mask], weights),
    )
