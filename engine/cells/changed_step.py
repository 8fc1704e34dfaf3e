"""A cell's step in which some values are replaced the moment they are computed. No torch.

The equations stay the cell's own. They run on values that are numbered in the order in which the step makes them, so
that a gate is known by its number, whatever the cell calls its intermediate results; whatever the step goes on to use
is the value that took its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from engine.cells.cell import Array, Cell, OldState
from engine.cells.structure import Symbol, SymbolOps

Change = Callable[[Array], Array]
"""From a value that the step has computed to the one that takes its place."""


@dataclass(frozen=True)
class StepChanges:
    """What is changed in a step.

    Args:
        gates: by letter. states: by the name of the new state; what the step makes of it follows from the changed one.
        old: of every old state that the step reads; None leaves them as they are.
    """

    gates: Mapping[str, Change] = field(default_factory=dict)
    states: Mapping[str, Change] = field(default_factory=dict)
    old: Change | None = None


def changed_step(
    cell: Cell, ops: Any, x: Array, s: OldState, changes: StepChanges
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Run a step with changes.

    Args:
        ops: any `Ops`. x, s: what the step is called with.

    Returns:
        As `engine.cells.cell.Step`; gates and states are the changed ones.
    """
    numbers = _gate_numbers(cell)
    numbered = _NumberedOps(ops, s, changes, {numbers[letter]: change for letter, change in changes.gates.items()})
    values, states = cell.step(numbered, x, numbered.read)
    return {letter: made.value for letter, made in values.items()}, {
        name: numbered.final(name, made) for name, made in states.items()
    }


@cache
def _gate_numbers(cell: Cell) -> dict[str, int]:
    """{letter: number of the value}, found by running the step on symbols."""
    ops = SymbolOps(cell)
    numbered = _NumberedOps(ops, ops.read, StepChanges(), {})
    values, _ = cell.step(numbered, Symbol("x"), numbered.read)
    return {letter: values[letter].number for letter in cell.letters}


class _Numbered:
    """A value of the step and its number."""

    def __init__(self, made_by: _NumberedOps, number: int, value: Array) -> None:
        self.made_by, self.number, self.value = made_by, number, value

    def __add__(self, other: _Numbered | float) -> _Numbered:
        return self.made_by.made(self.value + _bare(other))

    def __radd__(self, other: float) -> _Numbered:
        return self.made_by.made(other + self.value)

    def __sub__(self, other: _Numbered | float) -> _Numbered:
        return self.made_by.made(self.value - _bare(other))

    def __rsub__(self, other: float) -> _Numbered:
        return self.made_by.made(other - self.value)

    def __mul__(self, other: _Numbered | float) -> _Numbered:
        return self.made_by.made(self.value * _bare(other))

    def __rmul__(self, other: float) -> _Numbered:
        return self.made_by.made(other * self.value)


def _bare(value: _Numbered | float) -> Array:
    return value.value if isinstance(value, _Numbered) else value


class _NumberedOps:
    """The `Ops` of numbered values: computes with other `Ops`, and replaces what is to be changed."""

    def __init__(self, ops: Any, s: OldState, changes: StepChanges, replaced: Mapping[int, Change]) -> None:
        self._ops, self._s, self._changes, self._replaced = ops, s, changes, replaced
        self._count, self._read, self._marked = 0, dict[str, _Numbered](), set[str]()

    def made(self, value: Array) -> _Numbered:
        """Number a new value, or the one that takes its place."""
        number, self._count = self._count, self._count + 1
        change = self._replaced.get(number)
        return _Numbered(self, number, value if change is None else change(value))

    def read(self, path: str, state: str) -> _Numbered:
        """See `OldState`. One value for each path, so that products of the same state are known as such."""
        if path not in self._read:
            old = self._s(path, state)
            self._read[path] = self.made(old if self._changes.old is None else self._changes.old(old))
        return self._read[path]

    def final(self, name: str, made: _Numbered) -> Array:
        """A new state as it leaves the step; one that the step has marked is changed already."""
        change = None if name in self._marked else self._changes.states.get(name)
        return made.value if change is None else change(made.value)

    def W_ih(self, gate: str, x: Array) -> _Numbered:
        """See `Ops`."""
        return self.made(self._ops.W_ih(gate, x))

    def W_hh(self, gate: str, h: _Numbered) -> _Numbered:
        """See `Ops`."""
        return self.made(self._ops.W_hh(gate, h.value))

    def vector(self, symbol: str) -> _Numbered:
        """See `Ops`."""
        return self.made(self._ops.vector(symbol))

    def sigmoid(self, a: _Numbered) -> _Numbered:
        """See `Ops`."""
        return self.made(self._ops.sigmoid(a.value))

    def tanh(self, a: _Numbered) -> _Numbered:
        """See `Ops`."""
        return self.made(self._ops.tanh(a.value))

    def relu(self, a: _Numbered) -> _Numbered:
        """See `Ops`."""
        return self.made(self._ops.relu(a.value))

    def phi(self, a: _Numbered) -> _Numbered:
        """See `Ops`."""
        return self.made(self._ops.phi(a.value))

    def layer_norm(self, parts: Sequence[_Numbered], gain: str, shift: str) -> list[_Numbered]:
        """See `Ops`."""
        return [self.made(part) for part in self._ops.layer_norm([part.value for part in parts], gain, shift)]

    def state(self, name: str, value: _Numbered) -> _Numbered:
        """See `Ops`."""
        self._marked.add(name)
        change, marked = self._changes.states.get(name), self._ops.state(name, value.value)
        return self.made(marked if change is None else change(marked))
