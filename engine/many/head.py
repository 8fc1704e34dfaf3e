"""Output layers, head and loss of networks side by side, forward and backward."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count, takewhile

import torch
from torch import Tensor
from torch.nn.functional import pad

from engine.layers.accelerators.slopes import tanh_slope
from engine.many.layout import below
from engine.tasks import Task


class Head:
    """Output layers (tanh) and head of S networks.

    Args:
        weights: parameters by their names in a network, (S, ...); read at every call.
        gradients: tensors like these, into which `backward` writes.
        task: says whether outputs are classes, with cross-entropy, or values, with squared error, and how many.
    """

    def __init__(self, weights: Mapping[str, Tensor], gradients: Mapping[str, Tensor], task: Task) -> None:
        upper = takewhile(lambda name: f"{name}weight" in weights, (f"upper.{number}." for number in count()))
        self._layers = [(below(name, weights), below(name, gradients)) for name in (*upper, "head.")]
        self._symbols, self._outputs = task.outputs == "symbols", task.output_size

    def forward(self, states: Tensor) -> Tensor:
        """Compute logits or values, (S, N, output_size), of states (S, N, H)."""
        self._read = [states]
        for layer, _ in self._layers[:-1]:
            self._read.append(linear(self._read[-1], layer).tanh_())
        outputs = linear(self._read[-1], self._layers[-1][0])
        self._filling = outputs.shape[-1] - self._outputs  # of the layout; it has no loss
        return outputs[..., : self._outputs]

    def loss(self, outputs: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Compute L of every network, (S,), and its gradient at the outputs, (S, N, output_size).

        Args:
            outputs: (S, N, output_size).
            targets: (S, N) classes, or (S, N, output_size) values.
            weights: (S, N), the weight of every loss in L.
        """
        return (cross_entropy if self._symbols else squared_error)(outputs, targets, weights)

    def answers(self, outputs: Tensor) -> Tensor:
        """Probabilities or values, as `RecurrentNetwork.predictions` has them."""
        return torch.softmax(outputs, -1) if self._symbols else outputs

    def backward(self, from_loss: Tensor) -> Tensor:
        """The gradient at the states, (S, N, H), from that at the outputs; writes the gradients of the weights."""
        grad = pad(from_loss, (0, self._filling))
        states, *_ = self._read
        for (layer, gradients), below_it in zip(reversed(self._layers), reversed(self._read), strict=True):
            gradients["weight"].copy_(torch.bmm(grad.transpose(1, 2), below_it))
            gradients["bias"].copy_(grad.sum(1))
            grad = torch.bmm(grad, layer["weight"])
            if below_it is not states:
                grad = tanh_slope(grad, below_it, grad)
        return grad


def linear(inputs: Tensor, layer: Mapping[str, Tensor]) -> Tensor:
    """W x + b of every network, (S, N, inputs) to (S, N, outputs)."""
    return torch.baddbmm(layer["bias"][:, None], inputs, layer["weight"].transpose(1, 2))


def cross_entropy(logits: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """The weighted sum of cross-entropies, (S,), and its gradient at the logits (S, N, classes)."""
    chosen, scores = targets[..., None], torch.log_softmax(logits, -1)
    losses = -(scores.gather(-1, chosen)[..., 0] * weights).sum(1)
    grad = scores.exp_() * weights[..., None]
    return losses, grad.scatter_add_(-1, chosen, -weights[..., None])


def squared_error(values: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """The weighted sum of squared errors, each the mean over output units, and its gradient at the values."""
    error = values - targets
    scaled = error * (weights[..., None] / error.shape[-1])
    return (scaled * error).sum((1, 2)), 2 * scaled
