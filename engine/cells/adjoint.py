"""The interface between the lens and a cell: what a cell's trace holds and how a gradient is swept back through it.

Axes: T steps in the direction's own time order, S seeds (different losses swept at once), B sequences, H units; and R =
S * B rows, the sequences of the first seed, then those of the next.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor

State = tuple[Tensor, ...]
"""The state between two steps: (h,) or (h, c), (B, H) each."""

GradCarry = tuple[Tensor, ...]
"""The gradient that step t + 1 passes back to step t: one (R, H) tensor for h, and one for c if there is one."""

Step = Callable[[Tensor, State, "Weights"], tuple[State, dict[str, Tensor]]]
"""One step of a cell that PyTorch does not have: (W_ih x_t + b_ih, state, weights) -> (new state, gates by name).

Shapes are (..., G*H) or (..., H) with any leading axes.
"""


class Weights(NamedTuple):
    """Weights of one layer in one direction, as in PyTorch: weight_ih (G*H, I), weight_hh (G*H, H), both biases.

    `ch` are peephole weights (P*H,) from the cell state to P gates. A cell that is not recurrent has neither hh nor
    bias_hh.
    """

    ih: Tensor
    hh: Tensor | None = None
    bias_ih: Tensor | None = None
    bias_hh: Tensor | None = None
    ch: Tensor | None = None

    @property
    def recurrent(self) -> Tensor:
        """weight_hh of a recurrent cell."""
        assert self.hh is not None
        return self.hh

    def map_tensors(self, change: Callable[[Tensor], Tensor]) -> Weights:
        """Apply a function to every tensor."""
        return Weights(change(self.ih), *(weight if weight is None else change(weight) for weight in self[1:]))

    def detached(self) -> Weights:
        """Detached from autograd."""
        return self.map_tensors(Tensor.detach)


class CellTrace(ABC):
    """States, gates and local derivatives of one layer in one direction in a forward pass; one class per cell.

    Every tensor except the weights must be (T, B, ...), and `initial` (1, B, H), because `map_tensors` slices them all.

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
        """Return a copy with a function applied to every tensor except the weights, for example a slice."""
        remade = copy.copy(self)
        for name, value in vars(self).items():
            if name != "weights":
                setattr(remade, name, _map_value(value, change))
        return remade

    def single_sequence(self, sequence: int, real: int) -> Self:
        """Return the real steps of one sequence, (real, 1, ...), in float64 on the CPU, weights included."""
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
        """Sweep a gradient back from step stop - 1 to step start. All tensors are changed in place.

        Args:
            total: (T, R, H), holds the direct gradient of these steps and becomes the total dL/dh_t.
            total_cell: (T, R, H), is filled with dL/dc_t; None without a cell state.
            grad_input_proj: (T, R, G*H), is filled with dL/d(W_ih x_t + b_ih).
            grad_carry: the gradient from step `stop`.

        Returns:
            The gradient passed to step start - 1.
        """

    def grad_state_proj(self, grad_input_proj: Tensor) -> Tensor:
        """Compute dL/d(W_hh h_{t-1} + b_hh) from dL/d(W_ih x_t + b_ih), (T, S, B, G*H): equal if the cell adds both."""
        return grad_input_proj


def to_float64_cpu(values: Tensor) -> Tensor:
    """Convert to float64 on the CPU, where readings are computed, whatever device the network is on."""
    return values.double().cpu()


def _map_value(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, dict):
        return {name: change(tensor) for name, tensor in value.items()}
    return tuple(change(tensor) for tensor in value) if isinstance(value, tuple) else value


def previous(states: Tensor, first: Tensor) -> Tensor:
    """The state before each step. states (T, B, H), first (B, H) -> (T, B, H)."""
    return torch.cat([first[None], states[:-1]])


def backwards(*tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Iterate over several tensors (steps, ...) at once, from the last step to the first. Yields views."""
    return zip(*(reversed(values.unbind()) for values in tensors), strict=True)


def for_rows(values: Tensor, rows: int) -> Tensor:
    """Make (T, B, ...) broadcast against (T, R, ...): unchanged if it does already, else repeated for each seed."""
    batch = values.shape[1]
    return values if batch in (1, rows) else values.repeat(1, rows // batch, *[1] * (values.dim() - 2))


def by_seed(values: Tensor, batch: int) -> Tensor:
    """View (T, R, ...) as (T, S, B, ...), against which a trace's tensors of one step, (B, ...), broadcast."""
    return values.unflatten(1, (-1, batch))


# PyTorch's fused kernels for times * slope: one pass over memory instead of three.


def sigmoid_slope(times: Tensor, output: Tensor, out: Tensor) -> Tensor:
    """Write times * output * (1 - output) into `out`: `times` multiplied by the slope of a sigmoid with this output."""
    return torch.ops.aten.sigmoid_backward.grad_input(times, output, grad_input=out)


def tanh_slope(times: Tensor, output: Tensor, out: Tensor) -> Tensor:
    """Write times * (1 - output^2) into `out`: `times` multiplied by the slope of a tanh with this output."""
    return torch.ops.aten.tanh_backward.grad_input(times, output, grad_input=out)
