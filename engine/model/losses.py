"""The loss of each output: cross-entropy of symbols, and what `Experiment.loss` says of numbers."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import cross_entropy, huber_loss, l1_loss, mse_loss

VALUE_LOSSES: dict[str, Callable[..., Tensor]] = {"mse": mse_loss, "mae": l1_loss, "huber": huber_loss}
"""By the names of `Experiment.loss`."""


def cross_entropies(logits: Tensor, classes: Tensor) -> Tensor:
    """Of logits (steps, batch, symbols) and classes (steps, batch), in nats: (steps, batch)."""
    return cross_entropy(logits.flatten(0, 1), classes.flatten(), reduction="none").view(classes.shape)


def value_losses(outputs: Tensor, targets: Tensor, loss: str) -> Tensor:
    """Of outputs and targets (steps, batch, units), averaged over the units: (steps, batch)."""
    return VALUE_LOSSES[loss](outputs, targets, reduction="none").mean(-1)
