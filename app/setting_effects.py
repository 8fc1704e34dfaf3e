"""Which settings have an effect: those that have none are not offered, and not listed as changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.cells import CELLS
from engine.experiment import AUTOREGRESSIVE_TYPES

PYTORCHS = "all weights are drawn as PyTorch does"


def has_effect(name: str, value: Callable[[str], Any]) -> bool:
    """Return False for a setting that has no effect beside the others.

    Args:
        name: of the setting.
        value: gives the value of every setting by its name.
    """
    return not why_no_effect(name, value)


def why_no_effect(name: str, value: Callable[[str], Any]) -> str:
    """Return why a setting has no effect beside the others, without a full stop; "" if it has one.

    Args:
        name: of the setting.
        value: gives the value of every setting by its name, and under "definition" the task.
    """
    cell, is_fed_back = CELLS[value("cell")], value("rnn_type") in AUTOREGRESSIVE_TYPES
    has_matrix = cell.state_blocks > 0
    one_way = "the network reads its own outputs" if is_fed_back else "no step depends on another one"
    one_input = "the network reads its own outputs" if is_fed_back else f"{cell.title} reads one input at a time"
    effects = {
        "nonlinearity": (cell.uses_nonlinearity, f"the activation functions of {cell.title} are fixed"),
        "bidirectional": (cell.is_recurrent and value("rnn_type") != "one_to_many", one_way),
        "attention": (value("rnn_type") == "encoder_decoder", "only a decoder has an encoder to read from"),
        "learned_start": (cell.is_recurrent, f"{cell.title} has no state"),
        "window": (not cell.is_recurrent and not is_fed_back, one_input),
        "embedding_size": (value("definition").inputs == "symbols", "the inputs are numbers, not symbols"),
        "init": (
            has_matrix or value("init") == "identity",  # which also sets input weights and biases
            f"{cell.title} has no recurrent weight matrix",
        ),
        "init_gain": (
            bool(cell.recurrent_weights),
            f"{cell.title} has no recurrent weights",
        ),
        "recurrent_dropout": (
            bool(cell.recurrent_weights),
            f"{cell.title} has no recurrent weights",
        ),
        "init_scale": (value("init_all") != "pytorch", PYTORCHS),
        "init_reach": (value("init_all") != "pytorch", PYTORCHS),
        "forget_bias": (cell.retain_gate is not None, f"{cell.title} has no gate that keeps the old state"),
        "momentum": (value("optimizer") == "momentum", "only SGD with momentum has it"),
        "loss": (value("definition").outputs == "values", "the outputs are classes, not numbers"),
        "schedule_steps": (value("schedule") != "constant", "the learning rate follows no schedule"),
        "schedule_factor": (
            value("schedule") in ("step", "plateau"),
            "only a schedule in steps, or one that waits for a plateau, multiplies the rate by it",
        ),
        "dropout": (value("num_layers") > 1, "it acts between layers, and there is one"),
        "horizon": (value("definition").farthest > 1, "only the next step is asked here"),
        "shortest": (
            value("definition").shorten is not None,
            "sequences have lengths of their own here, or cannot be of any other",
        ),
        "carry_state": (
            value("definition").passages is not None and value("rnn_type") == "many_to_many" and cell.is_recurrent,
            "there is no long text or series here with an output at every step, through which a state could be carried",
        ),
        "clip_threshold": (value("clip") != "none", "the gradient is not clipped"),
        "teacher_forcing": (is_fed_back, "no output is fed back as an input"),
    }
    has, reason = effects.get(name, (True, ""))
    return "" if has else reason
