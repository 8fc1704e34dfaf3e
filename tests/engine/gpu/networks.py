"""The networks on which CPU and GPU are compared: every cell in the five RNN types. Needs neither pytest nor a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.frame import Frame
from engine.recording.columns import leaves

TYPES: dict[str, dict[str, Any]] = {
    "one_to_one": {"task": "digits"},
    "one_to_many": {"task": "melody", "embedding_size": 3, "seq_len": 9},
    "many_to_one": {"task": "first_symbol_recall", "seq_len": 30, "num_layers": 2, "output_layers": 1},
    "many_to_many": {"task": "sine", "seq_len": 40},
    "encoder_decoder": {"task": "reverse", "seq_len": 8},
}
NOT_COMPARED = {"seconds", "on_gpu"}
FLOAT = 2e-5
"""How far numbers may be apart, relative to the largest of their array."""


def network(cell: str, rnn_type: str, **settings: Any) -> Experiment:
    """One of them; both directions where it has layers enough for a stack, and may have them."""
    chosen = TYPES[rnn_type] | {"rnn_type": rnn_type, "cell": cell, "hidden_size": 8, "batch_size": 16} | settings
    both = rnn_type == "many_to_one" and CELLS[cell].is_recurrent
    return Experiment(**{"bidirectional": both} | chosen)


def differences(first: Frame, second: Frame) -> dict[str, float]:
    """By path: how far the numbers of two frames are apart, relative to the largest of the array; inf if one has none.

    Numbers that are not finite must be so in both.
    """
    here, there = _numbers(first), _numbers(second)
    found = {path: np.inf for path in here.keys() ^ there.keys()}
    return found | {path: _apart(here[path], there[path]) for path in here.keys() & there.keys()}


def _numbers(frame: Frame) -> dict[str, np.ndarray]:
    arrays = {path: np.asarray(value) for path, value in leaves(frame) if path not in NOT_COMPARED}
    return {path: array if np.iscomplexobj(array) else array.astype(float) for path, array in arrays.items()}


def _apart(first: np.ndarray, second: np.ndarray) -> float:
    finite = np.isfinite(first)
    if first.shape != second.shape or not np.array_equal(finite, np.isfinite(second)):
        return np.inf
    largest = np.abs(first[finite]).max(initial=0.0)
    return float(np.abs(first[finite] - second[finite]).max(initial=0.0) / (largest or 1.0))


def every_network() -> Iterator[tuple[str, str]]:
    """(cell, RNN type) of all."""
    return ((cell, rnn_type) for cell in CELLS for rnn_type in TYPES)
