"""PyTorch's optimisers by the names used in an experiment; options that no setting names keep PyTorch's defaults.

Each is the function in which PyTorch's class computes, so that an update is the same to the bit. The class itself is
not used: making one loads PyTorch's compiler, without which a worker is ready earlier (BENCHMARKS.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adagrad import adagrad
from torch.optim.adam import adam
from torch.optim.adamw import adamw
from torch.optim.rmsprop import rmsprop
from torch.optim.sgd import sgd

from engine.experiment import Experiment

STEP = "step"  # a number; all other state has the shape of its weight


@dataclass(frozen=True)
class Rule:
    """How an optimiser changes weights.

    Args:
        update: changes weights in place. It takes lists of weights, of gradients and of each part of the state, and
            the options.
        state: the parts that each weight has, in the order in which `update` takes them, by the names that PyTorch's
            class saves. "" is a part that these options do not need.
        options: as PyTorch's class names them.
    """

    update: Callable[..., None]
    state: tuple[str, ...]
    options: Mapping[str, Any]


def _with_betas(update: Callable[..., None]) -> Callable[..., None]:
    """The function of Adam or AdamW, with betas as one option, as in PyTorch's classes."""

    def updated(*lists: list[Tensor], betas: tuple[float, float], **options: Any) -> None:
        update(*lists, beta1=betas[0], beta2=betas[1], **options)

    return updated


# Fused if PyTorch supports it: small networks spend most of an update on the overhead of separate calls.
SGD = {"dampening": 0.0, "nesterov": False, "maximize": False, "fused": True}
RMSPROP = {"alpha": 0.99, "eps": 1e-8, "momentum": 0.0, "centered": False}
ADAGRAD = {"lr_decay": 0.0, "eps": 1e-10, "maximize": False, "fused": True}
ADAM = {"betas": (0.9, 0.999), "eps": 1e-8, "amsgrad": False, "maximize": False, "fused": True}
ADAM_STATE = ("exp_avg", "exp_avg_sq", "", STEP)

OPTIMIZERS = {
    "sgd": Rule(sgd, ("",), SGD),
    "momentum": Rule(sgd, ("momentum_buffer",), SGD),
    "rmsprop": Rule(rmsprop, ("square_avg", "", "", STEP), RMSPROP),
    "adagrad": Rule(adagrad, ("sum", STEP), ADAGRAD),
    "adam": Rule(_with_betas(adam), ADAM_STATE, ADAM),
    "adamw": Rule(_with_betas(adamw), ADAM_STATE, ADAM),
}


class Optimizer:
    """The experiment's optimiser for these weights. One without a gradient stays as it is."""

    def __init__(self, experiment: Experiment, weights: Sequence[nn.Parameter]) -> None:
        self._rule, self._weights = OPTIMIZERS[experiment.optimizer], list(weights)
        self._state: dict[int, dict[str, Tensor]] = {}  # by the weight's place in the list, from its first update on
        self.apply_settings(experiment)

    def apply_settings(self, experiment: Experiment) -> None:
        """Use the experiment's learning rate, weight decay and momentum from the next update on."""
        self._settings = {"lr": experiment.learning_rate, "weight_decay": experiment.weight_decay}
        if self._rule.update is sgd:
            self._settings["momentum"] = experiment.momentum if experiment.optimizer == "momentum" else 0.0

    @property
    def learning_rate(self) -> float:
        """The rate of the next update."""
        return self._settings["lr"]

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        self._settings["lr"] = rate

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for weight in self._weights:
            weight.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Make one update."""
        places = [place for place, weight in enumerate(self._weights) if weight.grad is not None]
        states = [self._state_of(place) for place in places]
        self._rule.update(
            [self._weights[place] for place in places],
            [self._weights[place].grad for place in places],
            *([state[name] for state in states] if name else [] for name in self._rule.state),
            **self._settings,
            **self._rule.options,
        )

    def _state_of(self, place: int) -> dict[str, Tensor]:
        """A weight's state, which begins with zeros."""
        if place not in self._state:
            weight = self._weights[place]
            zeros = {name: torch.zeros_like(weight) for name in self._rule.state if name not in ("", STEP)}
            step = {STEP: torch.zeros((), device=weight.device)} if STEP in self._rule.state else {}
            self._state[place] = zeros | step
        return self._state[place]

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to continue exactly, as PyTorch's class saves it and can load it."""
        group = {**self._settings, **self._rule.options, "params": list(range(len(self._weights)))}
        return {"state": {place: dict(state) for place, state in self._state.items()}, "param_groups": [group]}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Load the state that `state_dict` or PyTorch's class saved. Settings and options stay as they are."""
        self._state = {place: self._brought(place, state) for place, state in saved["state"].items()}

    def _brought(self, place: int, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Saved state of a weight, where that weight is and in its precision."""
        weight = self._weights[place]
        return {name: each.to(weight.device) if name == STEP else each.to(weight) for name, each in state.items()}
