"""Recurrent layers in which some values are held, and the trace of such a layer: a network with changes, and its lens.

Every step is `engine.cells.changed_step`, so that states follow from what was changed, and a gradient stops where a
value is held: autograd of the same step finds that it does not depend on what it would have been. Sweeps by hand and
PyTorch's own layers are not used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from torch.nn.utils.rnn import PackedSequence

from engine.cells import Cell
from engine.cells.changed_step import StepChanges, changed_step
from engine.layers.cell_trace import CellTrace
from engine.layers.make import RecurrentLayers
from engine.layers.step_gradients import StepInputs
from engine.layers.step_layers import State, StepLayers, gates_of
from engine.layers.torch_ops import TorchOps
from engine.layers.weights import Weights, weights_of


@dataclass(frozen=True, eq=False)
class ChainChanges:
    """What is changed in one layer and direction, for every step in the direction's own time order.

    Args:
        cut: (T,) bool, steps that read states of 0 in place of the old ones, and pass no gradient back to them.
        units: H.
        gates: {letter: (T, H) float64}, the values that gates are held at; NaN where a gate is left as it is.
        states: {"h" or "c": (T, H) float64}, the same of new states.
    """

    cut: Tensor
    units: int
    gates: dict[str, Tensor] = field(default_factory=dict)
    states: dict[str, Tensor] = field(default_factory=dict)

    @classmethod
    def none(cls, steps: int, units: int) -> ChainChanges:
        """No change; to be filled."""
        return cls(torch.zeros(steps, dtype=torch.bool), units)

    def gate(self, letter: str) -> Tensor:
        """The values of a gate, (T, H), to be written into."""
        return self.gates.setdefault(letter, self._free())

    def state(self, name: str) -> Tensor:
        """The values of a new state, (T, H), to be written into."""
        return self.states.setdefault(name, self._free())

    def _free(self) -> Tensor:
        return torch.full((len(self.cut), self.units), torch.nan, dtype=torch.float64)

    def at(self, steps: int | Tensor) -> StepChanges:
        """The changes of one step, for states (..., H), or of R steps at once, for states (R, H)."""
        is_cut = self.cut[steps]
        return StepChanges(
            {letter: _held_at(values[steps]) for letter, values in self.gates.items()},
            {name: _held_at(values[steps]) for name, values in self.states.items()},
            _without(is_cut[..., None]) if bool(is_cut.any()) else None,
        )


def _held_at(values: Tensor) -> Callable[[Tensor], Tensor]:
    """Take these values, and what was computed only where they are NaN."""

    def change(computed: Tensor) -> Tensor:
        held = values.to(computed)
        return torch.where(held.isnan(), computed, held)

    return change


def _without(is_cut: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda old: torch.where(is_cut.to(old.device), torch.zeros_like(old), old)


def _run(
    cell: Cell, weights: Weights, nonlinearity: str, inputs: Tensor, initial: State, changes: ChainChanges, start: int
) -> tuple[dict[str, Tensor], State]:
    """As `engine.layers.step_layers.run_steps`, step by step, the first input at step `start` of the changes."""
    ops, state = TorchOps(cell, weights, nonlinearity), dict(zip(cell.states, initial, strict=True))
    values: list[dict[str, Tensor]] = []
    states: list[dict[str, Tensor]] = []
    for t, projected in enumerate(linear(inputs, weights.ih, weights.bias_ih), start):
        from_input = dict(zip(cell.letters, projected.chunk(cell.blocks, -1), strict=True))
        ops.begin(from_input, {path: state[of] for path, of in cell.paths.items()})
        named, state = changed_step(cell, ops, None, ops.read, changes.at(t))
        values.append(named)
        states.append(state)
    kept = {name: torch.stack([each[name] for each in values]) for name in values[0]}
    return kept, tuple(torch.stack([each[name] for each in states]) for name in cell.states)


class ChangedLayers(StepLayers):
    """Layers with the weights of others, and with changes.

    A call without a state begins at the first step; one with a state goes on where the last call ended. What is called
    with another module's state must be rewound before, as a decoder's layers.
    """

    def __init__(self, cell: Cell, layers: RecurrentLayers, changes: list[list[ChainChanges]]) -> None:
        """layers: whose parameters are used, not copied. changes: [layer][direction]."""
        nn.Module.__init__(self)  # nothing is drawn
        self.cell, self.nonlinearity = cell, getattr(layers, "nonlinearity", "tanh")
        self.vector_names = tuple(vector.name for vector in cell.vectors)
        self.input_size, self.hidden_size, self.num_layers = layers.input_size, layers.hidden_size, layers.num_layers
        self.bidirectional, self.dropout = layers.bidirectional, layers.dropout
        for name, parameter in layers.named_parameters():
            self.register_parameter(name, parameter)
        self.changes, self._next = changes, 0

    def rewind(self) -> None:
        """Let the next call begin at the first step."""
        self._next = 0

    def forward(
        self, inputs: Tensor | PackedSequence, state: Tensor | State | None = None
    ) -> tuple[Tensor | PackedSequence, Tensor | State]:
        """See `StepLayers.forward`."""
        if state is None:
            self.rewind()
        result = super().forward(inputs, state)
        self._next += len(inputs.batch_sizes if isinstance(inputs, PackedSequence) else inputs)
        return result

    def run(self, layer: int, direction: int, inputs: Tensor, initial: State | None = None) -> State:
        """See `StepLayers.run`."""
        state = self.zero_state(inputs) if initial is None else initial
        weights, changes = weights_of(self, layer, direction), self.changes[layer][direction]
        return _run(self.cell, weights, self.nonlinearity, inputs, state, changes, self._next)[1]


class ChangedTrace(CellTrace):
    """Trace of one layer in one direction with changes; see `CellTrace`.

    dL/dh_t and dL/dc_t are taken at the states as the network reads them, after the change: where a value is set they
    say what another value would do to the loss, and go no further back.
    """

    def __init__(
        self, kind: Cell, weights: Weights, nonlinearity: str, inputs: Tensor, initial: State, changes: ChainChanges
    ) -> None:
        self.changes = changes
        super().__init__(kind, weights, nonlinearity, inputs, initial)

    def _fill(self, hidden: Tensor | None) -> None:
        before = tuple(state[0] for state in self.initial)
        values, states = _run(self.kind, self.weights, self.nonlinearity, self.inputs, before, self.changes, 0)
        self.hidden, self.cell = states[0], states[1] if self.kind.has_cell_state else None
        self.gates = gates_of(self.kind, values)

    @property
    def before(self) -> dict[str, Tensor]:
        """The old states of every step by name, (T, B, H) each, as it reads them: 0 behind a cut."""
        cut = _without(self.changes.cut[: len(self.hidden), None, None])
        return {name: cut(values) for name, values in super().before.items()}

    @property
    def cut_steps(self) -> list[int]:
        """See `CellTrace.cut_steps`."""
        return self.changes.cut[: len(self.hidden)].nonzero()[:, 0].tolist()

    def step_changes(self, steps: int | Tensor) -> StepChanges:
        """See `CellTrace.step_changes`."""
        return self.changes.at(steps)

    def _steps(self, from_input: Tensor, before: dict[str, Tensor], at: int | Tensor) -> StepInputs:
        return super()._steps(from_input, before, at)._replace(changes=self.changes.at(at))
