"""The contract between the lens and a cell: what the trace of a cell holds, so that it can be swept backwards.

Axes: T steps in the direction's own time order, S seeds (different losses swept at once), B sequences, H units; and R
rows, every seed's B sequences one seed after the other, R = S * B.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor

State = tuple[Tensor, ...]
"""What one step hands to the next: h, then c where there is one; (B, H) each."""

GradCarry = tuple[Tensor, ...]
"""The gradient on its way from step t + 1 to step t: one (R, H) tensor per state, h first, then c."""

Step = Callable[[Tensor, State, "Weights"], tuple[State, dict[str, Tensor]]]
"""One step of a cell that PyTorch lacks: (W_ih x_t + b_ih, state, weights) -> (new state, gate values by name).

All are (..., G*H) or (..., H), whatever the leading axes.
"""


class Weights(NamedTuple):
    """One layer in one direction, PyTorch's names: weight_ih (G*H, I), weight_hh (G*H, H), both biases or None.

    `ch` are peephole weights (P*H,), from the cell state to P gates; a cell without links has neither hh nor bias_hh.
    """

    ih: Tensor
    hh: Tensor | None = None
    bias_ih: Tensor | None = None
    bias_hh: Tensor | None = None
    ch: Tensor | None = None

    @property
    def recurrent(self) -> Tensor:
        """weight_hh of a cell that has links in time."""
        assert self.hh is not None
        return self.hh

    def map_tensors(self, change: Callable[[Tensor], Tensor]) -> Weights:
        """The same with each of them changed."""
        return Weights(change(self.ih), *(each if each is None else change(each) for each in self[1:]))

    def detached(self) -> Weights:
        """The same numbers, of which no gradient is asked."""
        return self.map_tensors(Tensor.detach)


class CellTrace(ABC):
    """What one layer in one direction did in a forward pass, with its local slopes; one class per cell.

    Every tensor that a trace holds, but for its weights, is (T, B, ...), `initial` (1, B, H): see `map_tensors`.

    Attributes:
        inputs: (T, B, I), what the layer read. initial: (1, B, H), the state h before the first step.
        hidden: (T, B, H), the states h_t. cell: the states c_t, or None. gates: the gate values by name.
    """

    weights: Weights
    inputs: Tensor
    initial: Tensor
    hidden: Tensor
    gates: dict[str, Tensor]
    cell: Tensor | None = None

    def __init__(self, weights: Weights, inputs: Tensor, hidden: Tensor, initial: State) -> None:
        self.weights, self.inputs, self.hidden, self.initial = weights, inputs, hidden, initial[0][None]
        self.gates = {}

    @property
    def previous_hidden(self) -> Tensor:
        """(T, B, H): h_{t-1} of every step."""
        return previous(self.hidden, self.initial[0])

    def map_tensors(self, change: Callable[[Tensor], Tensor]) -> Self:
        """The same with every tensor but the weights changed: some of the sequences, or the steps of one beside each
        other."""
        remade = copy.copy(self)
        for name, value in vars(self).items():
            if name != "weights":
                setattr(remade, name, _map_value(value, change))
        return remade

    def single_sequence(self, sequence: int, real: int) -> Self:
        """One sequence's real steps, (real, 1, ...), in float64 and on the CPU, weights too: for readings of it."""
        own = self.map_tensors(lambda values: to_float64_cpu(values[:real, sequence : sequence + 1]))
        own.weights = self.weights.map_tensors(to_float64_cpu)
        return own

    @abstractmethod
    def backward_sweep(
        self,
        start: int,
        stop: int,
        total: Tensor,
        total_cell: Tensor | None,
        grad_input_proj: Tensor,
        grad_carry: GradCarry,
    ) -> GradCarry:
        """Back from step stop - 1 to step start.

        `total` (T, R, H) holds the direct gradient of these steps and becomes the total dL/dh_t, in place;
        `total_cell`, where there is a cell state, is filled with dL/dc_t, and `grad_input_proj` (T, R, G*H) with
        dL/d(W_ih x_t + b_ih). Returns what reaches step start - 1.
        """

    def grad_state_proj(self, grad_input_proj: Tensor) -> Tensor:
        """dL/d(W_hh h_{t-1} + b_hh) from dL/d(W_ih x_t + b_ih), (T, S, B, G*H): the same where both are just added."""
        return grad_input_proj


def to_float64_cpu(values: Tensor) -> Tensor:
    """float64, and on the CPU beside the readings made of it, wherever the network is."""
    return values.double().cpu()


def _map_value(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, dict):
        return {name: change(each) for name, each in value.items()}
    return tuple(change(each) for each in value) if isinstance(value, tuple) else value


def previous(states: Tensor, first: Tensor) -> Tensor:
    """The state before each step. states (T, B, H), first (B, H) -> (T, B, H)."""
    return torch.cat([first[None], states[:-1]])


def backwards(*each: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """What these tensors, (steps, ...), hold of the last step, of the one before, and so on to the first: views."""
    return zip(*(reversed(values.unbind()) for values in each), strict=True)


def for_rows(values: Tensor, rows: int) -> Tensor:
    """(T, B, ...) to what can be multiplied with (T, R, ...): as it is wherever it broadcasts, else a copy per seed."""
    batch = values.shape[1]
    return values if batch in (1, rows) else values.repeat(1, rows // batch, *[1] * (values.dim() - 2))


def by_seed(values: Tensor, batch: int) -> Tensor:
    """(T, R, ...) seen as (T, S, B, ...): what a trace holds of a step, (B, ...), broadcasts against that."""
    return values.unflatten(1, (-1, batch))


# The library's own kernels for a slope times something: one pass over memory, where written out it would be three.


def sigmoid_slope(times: Tensor, output: Tensor, out: Tensor) -> Tensor:
    """times * output * (1 - output), the slope of a sigmoid with this output; written into `out`."""
    return torch.ops.aten.sigmoid_backward.grad_input(times, output, grad_input=out)


def tanh_slope(times: Tensor, output: Tensor, out: Tensor) -> Tensor:
    """times * (1 - output^2), the slope of a tanh with this output; written into `out`."""
    return torch.ops.aten.tanh_backward.grad_input(times, output, grad_input=out)
