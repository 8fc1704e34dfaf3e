"""Optimisers for networks side by side, each with its own learning rate and clip threshold, as PyTorch computes them.

A class for each optimiser of `engine.training.optimizers`, with the options that it has there, and no weight decay.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from engine.experiment import Experiment

CLIP_EPS = 1e-6  # as in torch.nn.utils.clip_grads_with_norm_


class Optimizer(ABC):
    """S optimisers of one kind.

    Attributes:
        state: what each remembers, (S, P) by name; zeros at first.
    """

    SAVED_AS: ClassVar[Mapping[str, str]]
    """The names of the state, and those by which PyTorch's class saves it."""

    def __init__(self, experiments: Sequence[Experiment], like: Tensor) -> None:
        self.state = {name: torch.zeros_like(like) for name in self.SAVED_AS}
        self._learning_rates = torch.tensor([[e.learning_rate] for e in experiments], dtype=torch.float64)
        self._rates = torch.zeros_like(
            like[:, :1]
        )  # of the step that is made; changed in place, as a GPU's graph needs
        self._clip = experiments[0].clip
        self._thresholds = torch.tensor([[e.clip_threshold] for e in experiments], dtype=like.dtype, device=like.device)

    def begin(self, step: int) -> None:
        """Compute what depends on the step alone, which counts from 1."""
        self._rates.copy_(self._learning_rates / self._bias(step))

    def clip(self, gradients: Tensor, norms: Tensor) -> None:
        """Clip every network's gradient (S, P) in place, by its own norm (S, 1) or number by number."""
        if self._clip == "norm":
            gradients.mul_((self._thresholds / (norms + CLIP_EPS)).clamp_(max=1.0))
        elif self._clip == "value":
            gradients.clamp_(-self._thresholds, self._thresholds)

    def update(self, parameters: Tensor, gradients: Tensor, going: Tensor) -> None:
        """Make the update of the step that `begin` was told, of the parameters (S, P) in place.

        Args:
            going: (S, 1) bool, False for networks that stay as they are.
        """
        state = self._remembered(gradients)
        updated = parameters - self._direction(gradients, state) * self._rates
        for rows, changed in ((parameters, updated), *((self.state[name], state[name]) for name in state)):
            torch.where(going, changed, rows, out=rows)

    def _bias(self, step: int) -> float:
        """What the learning rate is divided by."""
        return 1.0

    @abstractmethod
    def _remembered(self, gradients: Tensor) -> dict[str, Tensor]:
        """The state after these gradients."""

    @abstractmethod
    def _direction(self, gradients: Tensor, state: Mapping[str, Tensor]) -> Tensor:
        """What is subtracted from the parameters, for a learning rate of 1."""


class SGD(Optimizer):
    """Gradient descent."""

    SAVED_AS: ClassVar[Mapping[str, str]] = {}

    def _remembered(self, gradients: Tensor) -> dict[str, Tensor]:
        return {}

    def _direction(self, gradients: Tensor, state: Mapping[str, Tensor]) -> Tensor:
        return gradients


class Momentum(Optimizer):
    """Gradient descent with momentum, the same in all networks."""

    SAVED_AS: ClassVar[Mapping[str, str]] = {"velocity": "momentum_buffer"}

    def __init__(self, experiments: Sequence[Experiment], like: Tensor) -> None:
        super().__init__(experiments, like)
        self._momentum = experiments[0].momentum

    def _remembered(self, gradients: Tensor) -> dict[str, Tensor]:
        return {"velocity": self.state["velocity"] * self._momentum + gradients}

    def _direction(self, gradients: Tensor, state: Mapping[str, Tensor]) -> Tensor:
        return state["velocity"]


class RMSprop(Optimizer):
    """Source: Hinton (2012), Neural networks for machine learning, lecture 6e."""

    SAVED_AS: ClassVar[Mapping[str, str]] = {"square": "square_avg"}

    def _remembered(self, gradients: Tensor) -> dict[str, Tensor]:
        return {"square": (self.state["square"] * 0.99).addcmul_(gradients, gradients, value=0.01)}

    def _direction(self, gradients: Tensor, state: Mapping[str, Tensor]) -> Tensor:
        return gradients / state["square"].sqrt().add_(1e-8)


class Adagrad(Optimizer):
    """Source: Duchi, Hazan and Singer (2011), Adaptive subgradient methods, figure 1."""

    SAVED_AS: ClassVar[Mapping[str, str]] = {"sum": "sum"}

    def _remembered(self, gradients: Tensor) -> dict[str, Tensor]:
        return {"sum": torch.addcmul(self.state["sum"], gradients, gradients)}

    def _direction(self, gradients: Tensor, state: Mapping[str, Tensor]) -> Tensor:
        return gradients / state["sum"].sqrt().add_(1e-10)


class Adam(Optimizer):
    """Source: Kingma and Ba (2015), algorithm 1. Without weight decay AdamW is the same."""

    SAVED_AS: ClassVar[Mapping[str, str]] = {"mean": "exp_avg", "square": "exp_avg_sq"}
    BETAS: ClassVar = (0.9, 0.999)

    def __init__(self, experiments: Sequence[Experiment], like: Tensor) -> None:
        super().__init__(experiments, like)
        self._root = torch.ones_like(like[0, 0])

    def begin(self, step: int) -> None:
        """See `Optimizer.begin`."""
        super().begin(step)
        self._root.fill_((1 - self.BETAS[1] ** step) ** 0.5)

    def _bias(self, step: int) -> float:
        return 1 - self.BETAS[0] ** step

    def _remembered(self, gradients: Tensor) -> dict[str, Tensor]:
        first, second = self.BETAS
        square = (self.state["square"] * second).addcmul_(gradients, gradients, value=1 - second)
        return {"mean": self.state["mean"].lerp(gradients, 1 - first), "square": square}

    def _direction(self, gradients: Tensor, state: Mapping[str, Tensor]) -> Tensor:
        return state["mean"] / state["square"].sqrt().div_(self._root).add_(1e-8)


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "rmsprop": RMSprop,
    "adagrad": Adagrad,
    "adam": Adam,
    "adamw": Adam,
}
"""By the names used in an experiment."""
