"""Recurrent layers of any cell, which run its step; PyTorch's own layers take their place where it has the cell."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, linear
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from engine.cells import Cell, Vector
from engine.layers.linear_scan import linear_recurrence
from engine.layers.reverse_sequence import flip
from engine.layers.torch_ops import TorchOps
from engine.layers.weights import Weights, weights_of

State = tuple[Tensor, ...]
"""The state between two steps: (h,) or (h, c), (B, H) each."""


class StepLayers(nn.Module):
    """Recurrent layers that run a cell's step, with the interface and parameter names of nn.RNN.

    Time is the first axis. Weights and biases are drawn as in PyTorch, from U(-1/sqrt(H), 1/sqrt(H)) and in the same
    order, so that two cells of the same shape start from the same numbers; then the cell's vectors, as it says.
    """

    def __init__(
        self, cell: Cell, input_size: int, hidden_size: int, num_layers: int, *,
        nonlinearity: str = "tanh", bidirectional: bool = False, dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.cell, self.nonlinearity = cell, nonlinearity
        self.vector_names = tuple(vector.name for vector in cell.vectors)
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bidirectional, self.dropout = bidirectional, dropout
        vectors = {vector.name: vector for vector in cell.vectors}
        for layer in range(num_layers):
            shapes = cell.shapes(hidden_size * self.directions if layer else input_size, hidden_size)
            for suffix in ("", "_reverse")[: self.directions]:
                for name, shape in shapes.items():
                    weight = nn.Parameter(_drawn(shape, hidden_size, vectors.get(name)))
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
                states = self.run(layer, d, flip(seen, ends) if d else seen, begin)
                finals.append([values[ends - 1, torch.arange(len(ends))] for values in states])
                outputs.append(flip(states[0], ends) if d else states[0])
            seen = torch.cat(outputs, dim=-1)
            if self.dropout and layer < self.num_layers - 1:
                seen = dropout(seen, self.dropout, self.training)
        last = tuple(torch.stack(layers) for layers in zip(*finals, strict=True))
        output = seen if lengths is None else pack_padded_sequence(seen, lengths, enforce_sorted=False)
        return output, last if self.cell.has_cell_state else last[0]

    def run(self, layer: int, direction: int, inputs: Tensor, initial: State | None = None) -> State:
        """Run one layer in one direction, in its own time order, over (T, B, I). Returns its states, (T, B, H) each."""
        state = self.zero_state(inputs) if initial is None else initial
        return run_steps(self.cell, weights_of(self, layer, direction), self.nonlinearity, inputs, state)[1]

    def zero_state(self, inputs: Tensor) -> State:
        """The state before the first step: zeros."""
        zero = inputs.new_zeros(inputs.shape[1], self.hidden_size)
        return (zero,) * len(self.cell.states)


def _drawn(shape: tuple[int, ...], units: int, vector: Vector | None) -> Tensor:
    """A new parameter; `vector` says how it starts, if it is one."""
    start = None if vector is None else vector.start
    if isinstance(start, float):
        return torch.full(shape, start)
    bound = 1 / math.sqrt(units)
    return torch.empty(shape).uniform_(*(start or (-bound, bound)))


def gates_of(cell: Cell, values: dict[str, Tensor]) -> dict[str, Tensor]:
    """The gates by name, of what a step returned; none for a plain cell."""
    if cell.is_plain:
        return {}
    names = zip(cell.letters, cell.gates, strict=True)
    return {name: values[letter] for letter, name in names if letter in values}


def run_steps(
    cell: Cell, weights: Weights, nonlinearity: str, inputs: Tensor, initial: State, *, keep_values: bool = False
) -> tuple[dict[str, Tensor], State]:
    """Run a cell over (T, B, I) from a state.

    Returns:
        What the steps returned, by letter, and the states: (T, B, H) each. Without `keep_values` only the states.
    """
    ops = TorchOps(cell, weights, nonlinearity)
    from_input = linear(inputs, weights.ih, weights.bias_ih).chunk(cell.blocks, -1)
    if not cell.is_recurrent or cell.structure.is_linear:
        return _run_at_once(ops, inputs, dict(zip(cell.letters, from_input, strict=True)), initial)
    steps: list[tuple[Tensor, ...]] = []
    values: list[dict[str, Tensor]] = []
    state = dict(zip(cell.states, initial, strict=True))
    for x, *projected in zip(inputs.unbind(), *(block.unbind() for block in from_input), strict=True):
        ops.begin(dict(zip(cell.letters, projected, strict=True)), {path: state[of] for path, of in cell.paths.items()})
        named, state = cell.step(ops, x, ops.read)
        steps.append(tuple(state[name] for name in cell.states))
        values.append(named)
    kept = {name: torch.stack([each[name] for each in values]) for name in values[0]} if keep_values else {}
    return kept, tuple(torch.stack(states) for states in zip(*steps, strict=True))


def _run_at_once(
    ops: TorchOps, inputs: Tensor, from_input: dict[str, Tensor], initial: State
) -> tuple[dict[str, Tensor], State]:
    """Run all steps at once, where none has to wait for the state of another.

    A linear step is h_t = a_t * h_{t-1} + b_t: a_t is its retain gate, and b_t what it returns for an old state of 0.
    """
    cell = ops.cell
    ops.begin(from_input, dict.fromkeys(cell.paths, inputs.new_zeros(())))
    values, states = cell.step(ops, inputs, ops.read)
    if not cell.is_recurrent:
        return values, (states["h"],)
    assert cell.retain_letter is not None
    return values, (linear_recurrence(values[cell.retain_letter], states["h"], initial[0]),)
