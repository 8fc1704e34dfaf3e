"""The optimisers by the names that an experiment gives them: the library's, with its own defaults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from engine.experiment import Experiment

OPTIMIZERS: dict[str, tuple[Callable[..., torch.optim.Optimizer], dict[str, Any]]] = {
    "sgd": (torch.optim.SGD, {"fused": True}),
    "momentum": (torch.optim.SGD, {"momentum": 0.9, "fused": True}),
    "rmsprop": (torch.optim.RMSprop, {}),
    "adagrad": (torch.optim.Adagrad, {"fused": True}),
    "adam": (torch.optim.Adam, {"fused": True}),
}
"""Fused where the library has it: one call instead of some ten per parameter, which is what small networks wait for."""


def make_optimizer(experiment: Experiment, parameters: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
    """The experiment's optimiser for these parameters, at its learning rate."""
    kind, options = OPTIMIZERS[experiment.optimizer]
    return kind(parameters, lr=experiment.learning_rate, **options)
