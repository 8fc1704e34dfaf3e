"""Which settings have an effect: those that have none are not offered, and not listed as changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.cells import CELLS
from engine.experiment import AUTOREGRESSIVE_TYPES
from engine.tasks import TASKS


def has_effect(name: str, value: Callable[[str], Any]) -> bool:
    """Return False for a setting that has no effect beside the others.

    Args:
        name: of the setting.
        value: gives the value of every setting by its name.
    """
    cell, is_fed_back = CELLS[value("cell")], value("rnn_type") in AUTOREGRESSIVE_TYPES
    has_matrix = cell.state_blocks > 0
    return {
        "nonlinearity": cell.uses_nonlinearity,
        "bidirectional": cell.is_recurrent and not is_fed_back,
        "window": not cell.is_recurrent and not is_fed_back,
        "embedding_size": TASKS[value("task")].inputs == "symbols",
        "init": has_matrix or value("init") == "identity",  # which also sets input weights and biases
        "init_gain": has_matrix or any(vector.is_recurrent for vector in cell.vectors),
        "forget_bias": cell.retain_gate is not None,
        "clip_threshold": value("clip") != "none",
        "teacher_forcing": is_fed_back,
    }.get(name, True)
