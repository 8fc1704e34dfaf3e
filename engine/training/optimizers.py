"""PyTorch's optimisers by the names used in an experiment; options that no setting names keep PyTorch's defaults."""

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
    "adamw": (torch.optim.AdamW, {"fused": True}),
}
"""Fused if PyTorch supports it: small networks spend most of an update on the overhead of separate calls."""


def make_optimizer(experiment: Experiment, parameters: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
    """Make the experiment's optimiser for these parameters, with its learning rate and weight decay."""
    kind, options = OPTIMIZERS[experiment.optimizer]
    return kind(parameters, lr=experiment.learning_rate, weight_decay=experiment.weight_decay, **options)


def apply_live_settings(optimizer: torch.optim.Optimizer, experiment: Experiment) -> None:
    """Give an optimiser the learning rate and the weight decay that are in force from the next update on."""
    for group in optimizer.param_groups:
        group["lr"], group["weight_decay"] = experiment.learning_rate, experiment.weight_decay
