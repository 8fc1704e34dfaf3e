"""What an update leaves to the next one besides weights: nothing, but in a run with one of two bugs."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import torch
from torch import Tensor

from engine.experiment import Experiment
from engine.model import RecurrentNetwork
from engine.training.optimizers import Optimizer


class LeftOver:
    """Gradients that are not cleared, and the state that a network keeps between batches.

    Args:
        updates: over how many of them `ratio` is a mean.
    """

    def __init__(self, experiment: Experiment, model: RecurrentNetwork, updates: int) -> None:
        self._keeps = experiment.bug == "gradients_not_cleared"
        self._model, self._weights = model, list(model.parameters())
        self._before: list[Tensor | None] = []
        self._norms: deque[tuple[float, float]] = deque(maxlen=updates)

    def clear(self, optimizer: Optimizer) -> None:
        """Forget the gradients of the update before; with the bug, look at what is there instead."""
        if self._keeps:
            self._before = [None if weight.grad is None else weight.grad.clone() for weight in self._weights]
        else:
            optimizer.zero_grad()

    def own_norm(self) -> float | None:
        """After the backward pass: the norm of what it brought; None where nothing else is there."""
        if not self._keeps:
            return None
        pairs = zip(self._weights, self._before, strict=True)
        own = [each.grad if old is None else each.grad - old for each, old in pairs if each.grad is not None]
        return torch.nn.utils.get_total_norm(own).item()

    def add(self, stored: float, own: float | None) -> None:
        """Add the norm of the gradient that an update was made with, and of what its own batch brought."""
        self._norms.append((stored, stored if own is None else own))

    @property
    def ratio(self) -> float:
        """The norm of the gradients that the last updates were made with / that of their own batches'; NaN before."""
        stored, own = (sum(norms) for norms in zip(*self._norms, strict=True)) if self._norms else (0.0, 0.0)
        return stored / own if own else math.nan

    def state(self) -> dict[str, Any]:
        """Tensors and numbers that `restore` takes."""
        grads = [None if weight.grad is None else weight.grad.clone() for weight in self._weights]
        return {
            "norms": [list(pair) for pair in self._norms],
            "gradients": grads if self._keeps else None,
            "kept_state": self._model.kept_state,
        }

    def restore(self, state: dict[str, Any] | None) -> None:
        """Put back what `state` gave; an older checkpoint has none."""
        state = state or {"norms": [], "gradients": None, "kept_state": None}
        self._norms.clear()
        self._norms.extend((stored, own) for stored, own in state["norms"])
        for weight, grad in zip(self._weights, state["gradients"] or [None] * len(self._weights), strict=True):
            weight.grad = None if grad is None else grad.to(weight.device)
        kept = state["kept_state"]
        device = self._weights[0].device
        self._model.kept_state = tuple(part.to(device) for part in kept) if isinstance(kept, tuple) else (
            None if kept is None else kept.to(device)
        )  # fmt: skip
