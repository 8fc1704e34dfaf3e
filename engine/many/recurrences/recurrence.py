"""One recurrent layer of S networks side by side: forward, and back-propagation through time by hand.

Axes: T steps, S networks, B sequences, I inputs, H units, G rows of weight_ih. States are (T, S, B, H), so that a step
is one piece of memory. What a step computes is written into buffers that are kept from update to update.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor


class Recurrence(ABC):
    """One layer of S networks.

    Args:
        weights: weight_ih (S, G, I), weight_hh (S, G, H), bias_ih and bias_hh (S, G); read at every call.
        gradients: tensors like these, into which `backward` writes.
        nonlinearity: of a plain cell.
    """

    inputs: Tensor
    hidden: Tensor
    total: Tensor  # after `backward`: the total gradient of the state that carries memory, h_t or c_t, (T, S, B, H)

    def __init__(
        self, weights: Mapping[str, Tensor], gradients: Mapping[str, Tensor], nonlinearity: str = "tanh"
    ) -> None:
        self.weights, self.gradients, self.nonlinearity = weights, gradients, nonlinearity
        self.networks, _, self.units = weights["weight_hh"].shape
        self._buffers: dict[tuple[str, torch.Size], Tensor] = {}

    def forward(self, inputs: Tensor, steps: int) -> Tensor:
        """Compute the states.

        Args:
            inputs: (S, T * B, I), kept for `backward`.
            steps: T.

        Returns:
            (T, S, B, H); the next call overwrites it.
        """
        self.inputs, self._shape = inputs, (steps, self.networks, inputs.shape[1] // steps)
        self.hidden = self._states()
        return self.hidden

    def backward(self, grad: Tensor) -> Tensor:
        """Send a gradient back through time, and write the weights' gradients.

        Args:
            grad: (T, S, B, H), dL/dh_t from above; becomes the total dL/dh_t.

        Returns:
            (S, T * B, G): dL/d(W_ih x_t + b_ih).
        """
        self.total = grad
        from_input, from_state = self._sweep(grad)
        before = by_network(self.hidden[:-1])  # h_0 is 0: the first step adds nothing to dL/dW_hh
        grads, later = self.gradients, from_state[:, self._shape[2] :]
        grads["weight_hh"].copy_(torch.bmm(later.transpose(1, 2), before))
        grads["weight_ih"].copy_(torch.bmm(from_input.transpose(1, 2), self.inputs))
        grads["bias_hh"].copy_(from_state.sum(1))
        grads["bias_ih"].copy_(grads["bias_hh"] if from_input is from_state else from_input.sum(1))
        return from_input

    @abstractmethod
    def _states(self) -> Tensor:
        """Compute h_t of all steps, (T, S, B, H), from `inputs`."""

    @abstractmethod
    def _sweep(self, grad: Tensor) -> tuple[Tensor, Tensor]:
        """dL/d(W_ih x_t + b_ih) and dL/d(W_hh h_{t-1} + b_hh), (S, T * B, G); the same tensor where they are equal.

        Args:
            grad: as of `backward`.
        """

    def buffer(self, name: str, width: int) -> Tensor:
        """A tensor (T, S, B, width) that is kept under this name, one for each shape: a GPU's graph still uses it."""
        shape = torch.Size((*self._shape, width))
        kept = self._buffers.get((name, shape))
        if kept is None:
            kept = self._buffers[name, shape] = self.weights["weight_hh"].new_empty(shape)
        return kept

    def zeros(self) -> Tensor:
        """The state before the first step, (S, B, H)."""
        return self.weights["weight_hh"].new_zeros(*self._shape[1:], self.units)

    def project(self, name: str, rows: slice, bias: Tensor) -> Tensor:
        """W_ih x_t + bias for some rows of weight_ih, in the buffer of this name, (T, S, B, rows)."""
        weight = self.weights["weight_ih"][:, rows]
        projected = torch.baddbmm(bias[:, None], self.inputs, weight.transpose(1, 2))
        steps, networks, batch = self._shape
        out = self.buffer(name, weight.shape[1])
        return out.copy_(projected.view(networks, steps, batch, -1).transpose(0, 1))

    def to_next(self, rows: slice = slice(None)) -> Tensor:
        """Some rows of weight_hh, ready to be multiplied by states from the left: (S, H, rows)."""
        return self.weights["weight_hh"][:, rows].transpose(1, 2).contiguous()

    def from_next(self) -> Tensor:
        """weight_hh, ready to be multiplied by gradients from the left: (S, G, H)."""
        return self.weights["weight_hh"].contiguous()


def by_network(steps: Tensor) -> Tensor:
    """(T, S, B, N) to (S, T * B, N)."""
    return steps.transpose(0, 1).flatten(1, 2)


def by_step(rows: Tensor, steps: int) -> Tensor:
    """(S, T * B, N) to (T, S, B, N)."""
    return rows.unflatten(1, (steps, -1)).transpose(0, 1)


def backwards(*over_time: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """The values of each step, the last step first."""
    return zip(*(reversed(each.unbind()) for each in over_time), strict=True)
