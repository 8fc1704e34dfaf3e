"""The trace of one layer in one direction in a forward pass, and how a gradient is swept back through it.

Axes: T steps in the direction's own time order, S seeds (different losses swept at once), B sequences, H units; and R =
S * B rows, the sequences of the first seed, then those of the next.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor
from torch.nn.functional import linear

from engine.cells import Cell
from engine.cells.changed_step import StepChanges
from engine.layers.step_gradients import StepGradients, StepInputs, carry_back, step_gradients
from engine.layers.step_layers import State, gates_of, run_steps
from engine.layers.torch_ops import TorchOps
from engine.layers.weights import Weights

GradCarry = tuple[Tensor, ...]
"""The gradient that step t + 1 passes back to step t: one (R, H) tensor for h, and one for c if there is one."""


class SweepSpan(NamedTuple):
    """The steps from `start` to before `stop`, and the tensors that a sweep over them changes in place.

    Args:
        total: (T, R, H), holds the direct gradient of these steps and becomes the total dL/dh_t.
        total_cell: (T, R, H), is filled with dL/dc_t; None without a cell state.
        grad_input_proj: (T, R, G*H), is filled with dL/d(W_ih x_t + b_ih).
    """

    start: int
    stop: int
    total: Tensor
    total_cell: Tensor | None
    grad_input_proj: Tensor


class CellTrace:
    """States and gates of one layer in one direction in a forward pass, and the sweep back through them.

    This one works for any cell: autograd differentiates its step. `engine.layers.accelerators` has subclasses that do
    the same by hand, several times as fast. All tensors except the weights are (T, B, ...), and those in `initial`
    (1, B, H), because `map_tensors` slices them all.

    Attributes:
        inputs: (T, B, I), what the layer read. initial: the states before the first step.
        given_before: the states before every step, (T, B, H) each, where they are not simply those of the step before
            (somebody changes them on the way); else None.
        hidden: (T, B, H), the states h_t. cell: the states c_t, or None. gates: the gate values by name.
    """

    hidden: Tensor
    cell: Tensor | None
    gates: dict[str, Tensor]
    given_before: State | None = None

    def __init__(
        self,
        kind: Cell,
        weights: Weights,
        nonlinearity: str,
        inputs: Tensor,
        initial: State,
        hidden: Tensor | None = None,
    ) -> None:
        """hidden: the states h_t if they are known already; not used by a cell that has to compute its gates."""
        self.kind, self.weights, self.nonlinearity, self.inputs = kind, weights, nonlinearity, inputs
        self.initial = tuple(state[None] for state in initial)
        self.gates, self.cell = {}, None
        self._fill(hidden)

    def _fill(self, hidden: Tensor | None) -> None:
        """Set states and gates, and what the sweep needs beside them."""
        before = tuple(state[0] for state in self.initial)
        values, states = run_steps(
            self.kind, self.weights, self.nonlinearity, self.inputs, before, keep_values=not self.kind.is_plain
        )
        self.hidden, self.cell = states[0], states[1] if self.kind.has_cell_state else None
        self.gates = gates_of(self.kind, values)

    @property
    def cut_steps(self) -> list[int]:
        """Steps that do not read the state before them; none but in a network with changes."""
        return []

    def step_changes(self, steps: int | Tensor) -> StepChanges | None:
        """What is changed in one step, or in several at once; None but in a network with changes."""
        return None

    @property
    def previous_hidden(self) -> Tensor:
        """(T, B, H): h_{t-1} of every step."""
        return previous(self.hidden, self.initial[0][0]) if self.given_before is None else self.given_before[0]

    @property
    def is_one_loop(self) -> bool:
        """True if every step begins with the states that the step before it left, but for rounding."""
        if self.given_before is None:
            return True
        states = (self.hidden, *(() if self.cell is None else (self.cell,)))
        pairs = zip(states, self.given_before, strict=True)
        return all(torch.allclose(left[:-1], begun[1:], rtol=1e-4, atol=1e-5) for left, begun in pairs)

    @property
    def before(self) -> dict[str, Tensor]:
        """The old states of every step by name, (T, B, H) each."""
        if self.given_before is not None:
            return dict(zip(self.kind.states, self.given_before, strict=True))
        states = (self.hidden, *(() if self.cell is None else (self.cell,)))
        pairs = zip(self.kind.states, states, self.initial, strict=True)
        return {name: previous(values, first[0]) for name, values, first in pairs}

    @property
    def from_input(self) -> Tensor:
        """(T, B, G*H): W_ih x_t + b_ih of every step."""
        return linear(self.inputs, self.weights.ih, self.weights.bias_ih)

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

    def backward_sweep(self, span: SweepSpan, grad_carry: GradCarry) -> GradCarry:
        """Sweep a gradient back through a span of steps, from its last step to its first.

        Args:
            grad_carry: the gradient that comes from the step after it.

        Returns:
            The gradient passed to the step before it.
        """
        start, stop, total, total_cell, grad_input_proj = span
        rows = total.shape[1]
        states = {name: for_rows(values[start:stop], rows) for name, values in self.before.items()}
        from_input = for_rows(linear(self.inputs[start:stop], self.weights.ih, self.weights.bias_ih), rows)
        if not self.kind.is_recurrent:  # no step waits for another: all at once
            at = torch.arange(start, stop).repeat_interleave(rows)
            steps = self._steps(from_input.expand(-1, rows, -1).flatten(0, 1), {}, at)
            through, _, _ = carry_back(steps, (total[start:stop].flatten(0, 1),))
            grad_input_proj[start:stop] = through.unflatten(0, (stop - start, rows))
            return tuple(torch.zeros_like(carry) for carry in grad_carry)
        ops = TorchOps(self.kind, self.weights, self.nonlinearity)
        for t in reversed(range(stop - start)):
            grad = total[start + t]
            grad += grad_carry[0]
            before = {name: values[t].expand(rows, -1) for name, values in states.items()}
            steps = self._steps(from_input[t].expand(rows, -1), before, start + t)
            grad_input_proj[start + t], grad_carry, cell = carry_back(steps, (grad, *grad_carry[1:]), ops)
            if total_cell is not None:
                assert cell is not None
                total_cell[start + t] = cell
        return grad_carry

    def step_gradients(self, total: Tensor, total_cell: Tensor | None) -> StepGradients:
        """Take apart what every step does with the gradient that it has, in the trace of a single sequence.

        total, total_cell: (n, H), dL/dh_t and dL/dc_t. Rows are the n steps.
        """
        grads = (total, *(torch.zeros_like(total) for _ in self.kind.states[1:]))
        before = {name: values[:, 0] for name, values in self.before.items()}
        steps = self._steps(self.from_input[:, 0], before, torch.arange(len(total)))
        return step_gradients(steps, grads, total_cell)

    def unit_gradients(self, grads: tuple[Tensor, ...]) -> StepGradients:
        """As `step_gradients`, without what passes through W_hh. grads: (P, n, H) each. Rows are P * n."""
        parts = len(grads[0])
        steps = self._steps(
            self.from_input[:, 0].repeat(parts, 1),
            {name: each[:, 0].repeat(parts, 1) for name, each in self.before.items()},
            torch.arange(len(self.hidden)).repeat(parts),
        )
        return step_gradients(steps, tuple(grad.flatten(0, 1) for grad in grads), cut_products=True)

    def jacobians(self, start: int, stop: int) -> Tensor:
        """ds_t/ds_before of steps start to stop of a single sequence's trace, (stop - start, n, n); rows are s_t."""
        units = self.hidden.shape[-1]
        size = units * len(self.kind.states)
        seeds = torch.eye(size, dtype=self.hidden.dtype).repeat(stop - start, 1).split(units, -1)

        def repeated(values: Tensor) -> Tensor:
            return values[start:stop, 0].repeat_interleave(size, 0)

        before = {name: repeated(values) for name, values in self.before.items()}
        at = torch.arange(start, stop).repeat_interleave(size)
        _, carry, _ = carry_back(self._steps(repeated(self.from_input), before, at), seeds)
        return torch.cat(carry, -1).unflatten(0, (stop - start, size))

    def _steps(self, from_input: Tensor, before: dict[str, Tensor], at: int | Tensor) -> StepInputs:
        """The rows of `from_input` and `before`. at: the step of all rows, or of each row, (R,)."""
        return StepInputs(self.kind, self.weights, self.nonlinearity, from_input, before)


class LibraryTrace(CellTrace):
    """The trace of one of PyTorch's own cells, whose W_hh multiplies the old state itself."""

    def state_projection_gradient(self, grad_input_proj: Tensor) -> Tensor:
        """dL/d(W_hh h_{t-1} + b_hh) of every step, (T, B, G*H).

        Args:
            grad_input_proj: (T, B, G*H), dL/d(W_ih x_t + b_ih). Both are equal where a gate reads the sum of the two.
        """
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
