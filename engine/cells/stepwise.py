"""Cells defined by a single `step`: layers that loop over it, and a trace that differentiates it with autograd."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, linear
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from engine.cells import CELLS
from engine.cells.adjoint import CellTrace, GradCarry, State, Step, Weights, for_rows, previous
from engine.cells.reverse_sequence import flip

WEIGHTS = {"ih": "weight_ih", "hh": "weight_hh", "bias_ih": "bias_ih", "bias_hh": "bias_hh", "ch": "weight_ch"}
"""The fields of `Weights` and PyTorch's names for them."""


def weights_of(layers: nn.Module, layer: int, direction: int) -> Weights:
    """Get the weights of one layer in one direction of a recurrent module, PyTorch's or `StepwiseLayers`."""
    suffix = f"_l{layer}" + ("_reverse" if direction else "")
    named = {field: getattr(layers, name + suffix, None) for field, name in WEIGHTS.items()}
    return Weights(**named)  # type: ignore[arg-type]


class StepwiseLayers(nn.Module):
    """Recurrent layers of a cell that PyTorch does not have, with the interface and parameter names of nn.RNN.

    Time is the first axis. Weights and biases are drawn as in PyTorch, from U(-1/sqrt(H), 1/sqrt(H)) and in the same
    order, so that two cells of the same shape start from the same numbers.
    """

    def __init__(
        self, cell: str, step: Step, input_size: int, hidden_size: int, num_layers: int, *,
        nonlinearity: str = "tanh", bidirectional: bool = False, dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.name, self.kind, self.step, self.nonlinearity = cell, CELLS[cell], step, nonlinearity
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bidirectional, self.dropout = bidirectional, dropout
        rows, bound = self.kind.blocks * hidden_size, 1 / math.sqrt(hidden_size)
        for layer in range(num_layers):
            width = hidden_size * self.directions if layer else input_size
            sizes = {"weight_ih": (rows, width), "weight_hh": (rows, hidden_size), "bias_ih": (rows,),
                     "bias_hh": (rows,), "weight_ch": (self.kind.peepholes * hidden_size,)}  # fmt: skip
            if not self.kind.is_recurrent:
                del sizes["weight_hh"], sizes["bias_hh"]
            for suffix in ("", "_reverse")[: self.directions]:
                for name, size in sizes.items():
                    if size != (0,):
                        weight = nn.Parameter(torch.empty(size).uniform_(-bound, bound))
                        self.register_parameter(f"{name}_l{layer}{suffix}", weight)

    @property
    def directions(self) -> int:
        """1, or 2 if bidirectional."""
        return 2 if self.bidirectional else 1

    def forward(
        self, inputs: Tensor | PackedSequence, state: Tensor | State | None = None
    ) -> tuple[Tensor | PackedSequence, Tensor | State]:
        """As nn.RNN or nn.LSTM: (T, B, I) or packed, and h_0 or (h_0, c_0), each (layers * directions, B, H)."""
        lengths = None
        if isinstance(inputs, PackedSequence):
            inputs, lengths = pad_packed_sequence(inputs)
        ends = torch.full((inputs.shape[1],), len(inputs)) if lengths is None else lengths
        first = (state,) if isinstance(state, Tensor) else state
        finals, seen = [], inputs
        for layer in range(self.num_layers):
            outputs = []
            for d in range(self.directions):
                begin = None if first is None else tuple(start[layer * self.directions + d] for start in first)
                states, _ = self.run(layer, d, flip(seen, ends) if d else seen, begin)
                finals.append([values[ends - 1, torch.arange(len(ends))] for values in states])
                outputs.append(flip(states[0], ends) if d else states[0])
            seen = torch.cat(outputs, dim=-1)
            if self.dropout and layer < self.num_layers - 1:
                seen = dropout(seen, self.dropout, self.training)
        last = tuple(torch.stack(layers) for layers in zip(*finals, strict=True))
        output = seen if lengths is None else pack_padded_sequence(seen, lengths, enforce_sorted=False)
        return output, last if self.kind.has_cell_state else last[0]

    def run(
        self, layer: int, direction: int, inputs: Tensor, initial: State | None = None
    ) -> tuple[State, dict[str, Tensor]]:
        """Run one layer in one direction, in its own time order. Returns states, (T, B, H) each, and gates by name."""
        weights = weights_of(self, layer, direction)
        from_input = linear(inputs, weights.ih, weights.bias_ih)
        state = self.zero_state(inputs) if initial is None else initial
        if not self.kind.is_recurrent:  # all steps at once
            return self.step(from_input, state, weights)
        steps = []
        for projected in from_input.unbind():
            state, gates = self.step(projected, state, weights)
            steps.append((state, gates))
        states = tuple(torch.stack(parts) for parts in zip(*(state for state, _ in steps), strict=True))
        return states, {name: torch.stack([gates[name] for _, gates in steps]) for name in gates}

    def zero_state(self, inputs: Tensor) -> State:
        """The state before the first step: zeros."""
        zero = inputs.new_zeros(inputs.shape[1], self.hidden_size)
        return (zero, zero) if self.kind.has_cell_state else (zero,)


class AutogradCellTrace(CellTrace):
    """Trace of one layer in one direction whose steps autograd differentiates; see `engine.cells.adjoint.CellTrace`."""

    def __init__(self, layers: StepwiseLayers, layer: int, direction: int, inputs: Tensor, initial: State) -> None:
        states, gates = layers.run(layer, direction, inputs, initial)
        super().__init__(weights_of(layers, layer, direction).detached(), inputs, states[0], initial)
        self.gates, self.cell = gates, states[1] if len(states) > 1 else None
        self._step = layers.step
        self._from_input = linear(inputs, self.weights.ih, self.weights.bias_ih)
        self._states = tuple(previous(part, first) for first, part in zip(initial, states, strict=True))

    def backward_sweep(
        self,
        start: int,
        stop: int,
        total: Tensor,
        total_cell: Tensor | None,
        grad_input_proj: Tensor,
        grad_carry: GradCarry,
    ) -> GradCarry:
        """See `CellTrace.backward_sweep`. Each step is repeated for all rows, for a single call of autograd."""
        rows = total.shape[1]
        from_input, *states = (for_rows(values[start:stop], rows) for values in (self._from_input, *self._states))
        for t in reversed(range(stop - start)):
            grad = total[start + t]
            grad += grad_carry[0]
            with torch.enable_grad():
                entered = from_input[t].expand(rows, -1).clone().requires_grad_()
                before = [values[t].expand(rows, -1).clone().requires_grad_() for values in states]
                after, _ = self._step(entered, tuple(before), self.weights)
                wanted = [entered, *before, *after[1:]]
                gradients = torch.autograd.grad(after, wanted, (grad, *grad_carry[1:]), materialize_grads=True)
            grad_input_proj[start + t] = gradients[0]
            if total_cell is not None:
                total_cell[start + t] = gradients[-1]
            grad_carry = gradients[1 : 1 + len(before)]
        return grad_carry
