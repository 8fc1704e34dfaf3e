"""PyTorch's optimisers, with its default options, by the names used in an experiment."""

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
"""Fused if PyTorch supports it: small networks spend most of an update on the overhead of separate calls."""


def make_optimizer(experiment: Experiment, parameters: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
    """Make the experiment's optimiser for these parameters, with its learning rate."""
    kind, options = OPTIMIZERS[experiment.optimizer]
    return kind(parameters, lr=experiment.learning_rate, **options)
