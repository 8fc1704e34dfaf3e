"""Which networks can be trained side by side, and which of them together. No torch."""

from __future__ import annotations

import json
from collections.abc import Sequence

from engine.bugs import NO_BUG
from engine.experiment import AUTOREGRESSIVE_TYPES, Experiment
from engine.parameters import in_library
from engine.update_cost import step_cost

FREE = (
    "seed", "init", "init_gain", "init_all", "init_scale", "init_reach", "forget_bias", "learning_rate",
    "clip_threshold", "steps", "target_loss", "target_metric",
)  # fmt: skip
"""The settings in which networks side by side may differ: none of them changes the shape of a tensor."""

ZERO = (
    "embedding_size", "dropout", "head_dropout", "input_dropout", "recurrent_dropout", "noise", "weight_decay",
    "warmup", "tbptt", "train_set",
)  # fmt: skip
"""The settings that must be 0."""


def can_be_beside(experiment: Experiment) -> str | None:
    """Why an experiment's network must be trained by a trainer of its own; None if it can stand beside others."""
    e = experiment
    if not in_library(e):
        return "Only PyTorch's own RNN, GRU and LSTM are trained side by side."
    if e.rnn_type in AUTOREGRESSIVE_TYPES:
        return f"{e.rnn_type} feeds outputs back as inputs; that is not done side by side."
    if e.bidirectional:
        return "Networks that read both ways are not trained side by side."
    if e.carry_state:
        return "A network that carries its state on is not trained side by side."
    if e.schedule != "constant":
        return f"schedule must be constant side by side, but is {e.schedule}."
    for name in ("learned_start", "tied_weights"):
        if getattr(e, name):
            return f"{name} must be False side by side, but is True."
    if e.loss != "mse":
        return f"loss must be mse side by side, but is {e.loss}."
    if e.bug != NO_BUG:
        return f"bug must be {NO_BUG} side by side, but is {e.bug}."
    for name in ZERO:
        if value := getattr(e, name):
            return f"{name} must be 0 side by side, but is {value:g}."
    return None


def shape_of(experiment: Experiment) -> str:
    """A text that is the same for networks that can stand beside each other: all settings but those of FREE."""
    fixed = {name: value for name, value in experiment.to_dict().items() if name not in FREE}
    return json.dumps(fixed, sort_keys=True)


MOST = {"cpu": 16, "cuda": 2048}
"""Networks side by side at most, by device: with more on a CPU, an update of them leaves the processor's cache."""
MAX_BYTES = {"cpu": 2**28, "cuda": 2**33}
"""What networks side by side may hold for their backward pass, all together, as `step_cost` estimates it."""


def group(experiments: Sequence[Experiment], most: int | None = None) -> list[list[int]]:
    """Sort experiments into groups that can stand side by side, those of one seed next to each other.

    Networks of one seed read the same batches, which are then drawn once.

    Args:
        most: networks in a group at most, MOST if None; large networks are fewer (MAX_BYTES).

    Returns:
        The numbers of the experiments of each group. One that cannot stand beside others is alone.
    """
    alike: dict[str, list[int]] = {}
    groups = []
    for number, experiment in enumerate(experiments):
        if can_be_beside(experiment):
            groups.append([number])
        else:
            alike.setdefault(shape_of(experiment), []).append(number)
    for numbers in alike.values():
        by_seed = sorted(numbers, key=lambda number: experiments[number].seed)
        first = experiments[numbers[0]]
        _, size = step_cost(first)
        device = "cuda" if first.device == "cuda" else "cpu"  # "auto" is settled where they are trained
        fit = max(1, min(most or MOST[device], int(MAX_BYTES[device] / size)))
        groups += [by_seed[start : start + fit] for start in range(0, len(by_seed), fit)]
    return groups
