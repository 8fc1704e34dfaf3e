"""Text that a person typed, as a batch of one sequence."""

from __future__ import annotations

import numpy as np

from engine.tasks.base import Batch, last_step_only

MOST_TYPED = 200
"""Symbols of a typed sequence: more than a reader follows on the screen, and quick to run."""


def checked(tokens: np.ndarray, unit: str = "words") -> np.ndarray:
    """The tokens (typed,) as they are. ValueError, a sentence for the screen, where there are none or too many."""
    if not 1 <= len(tokens) <= MOST_TYPED:
        got = len(tokens) or f"none: only {unit} count, not other signs"
        raise ValueError(f"From 1 to {MOST_TYPED} {unit} can be read here, but got {got}.")
    return tokens


def alone(inputs: np.ndarray, asked: np.ndarray) -> Batch:
    """A batch of one sequence: inputs (T,) tokens; asked (T,) bool, where an answer is expected. Targets are zeros."""
    return Batch(inputs[:, None], np.zeros((len(inputs), 1), np.int64), asked[:, None], np.array([len(inputs)]))


def asked_at_the_end(inputs: np.ndarray) -> Batch:
    """A batch of one sequence with one answer, at its last step."""
    return alone(inputs, last_step_only(len(inputs), 1)[:, 0])
