"""What a step does, found by running it once on symbols: which products, paths and vectors it has, and how they meet.

From this follow shapes, the form of the Jacobian, and whether time can be computed in parallel. No torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

NONLINEAR = 2


class VectorDeclaration(Protocol):
    """What is read here of an `engine.cells.cell.Vector`."""

    @property
    def name(self) -> str: ...
    @property
    def symbols(self) -> tuple[str, ...]: ...


class Declaration(Protocol):
    """What is read here of an `engine.cells.cell.Cell`."""

    @property
    def title(self) -> str: ...
    @property
    def states(self) -> tuple[str, ...]: ...
    @property
    def letters(self) -> tuple[str, ...]: ...
    @property
    def paths(self) -> dict[str, str]: ...
    @property
    def vectors(self) -> Sequence[VectorDeclaration]: ...
    @property
    def terms(self) -> dict[str, str]: ...
    @property
    def state_arguments(self) -> dict[str, str]: ...
    @property
    def retain_gate(self) -> str | None: ...
    @property
    def step(self) -> Callable[..., Any]: ...


class CellError(Exception):
    """A cell's step does not do what the cell declares."""


@dataclass(frozen=True, eq=False)
class Symbol:
    """A value of the step, and what it was made of.

    Args:
        made_by: "x", an old state's path, a product such as "W_hh n", a vector's symbol, a function, "+", "-", "*", or
            a number.
        inputs: the values that it was made of.
        degree: in the old states: 0 without one, 1 if it is a sum of old states times something without one, unit by
            unit; else NONLINEAR.
    """

    made_by: str
    inputs: tuple[Symbol, ...] = ()
    degree: int = 0

    def __add__(self, other: Symbol | float) -> Symbol:
        return self._with("+", other)

    def __radd__(self, other: float) -> Symbol:
        return _constant(other)._with("+", self)

    def __sub__(self, other: Symbol | float) -> Symbol:
        return self._with("-", other)

    def __rsub__(self, other: float) -> Symbol:
        return _constant(other)._with("-", self)

    def __mul__(self, other: Symbol | float) -> Symbol:
        return self._with("*", other)

    def __rmul__(self, other: float) -> Symbol:
        return _constant(other)._with("*", self)

    def _with(self, operator: str, other: Symbol | float) -> Symbol:
        second = other if isinstance(other, Symbol) else _constant(other)
        degrees = (self.degree, second.degree)
        degree = min(sum(degrees), NONLINEAR) if operator == "*" else max(degrees)
        return Symbol(operator, (self, second), degree)


def _constant(value: float) -> Symbol:
    return Symbol(str(value))


@dataclass(frozen=True)
class Structure:
    """What a step does.

    Args:
        state_reads: {letter: path} of the gates that multiply W_hh; the path is None if the product reads something
            made of old states, such as r * h.
        is_unitwise: True if units meet only in products with W_hh of old states themselves. Then the Jacobian is made
            of W_hh and of one number per unit, gate and state.
        is_linear: True if h_t = a_t * h_{t-1} + b_t, unit by unit, with a_t and b_t from the input alone.
        state_normalisations: names of the gains of the layer normalisations that old states go through.
        values, states: what the step returned, each with all that it was made of: the cell's wiring.
    """

    state_reads: dict[str, str | None]
    is_unitwise: bool
    is_linear: bool
    state_normalisations: tuple[str, ...]
    values: dict[str, Symbol]
    states: dict[str, Symbol]

    @property
    def has_state_product(self) -> bool:
        """True if the cell has a weight_hh."""
        return bool(self.state_reads)


@dataclass
class SymbolOps:
    """The `Ops` of symbols; keeps which products, paths and vectors a step asked for."""

    cell: Declaration
    input_gates: list[str] = field(default_factory=list)
    state_reads: dict[str, str | None] = field(default_factory=dict)
    old: dict[str, Symbol] = field(default_factory=dict)
    vectors: set[str] = field(default_factory=set)
    normalises: bool = False
    state_normalisations: list[str] = field(default_factory=list)

    def read(self, path: str, state: str) -> Symbol:
        """An old state; the same symbol each time."""
        if self.cell.paths.get(path) != state:
            raise CellError(
                f"{self.cell.title}: the step reads {state} along the path {path!r}, which `paths` does not have."
            )
        return self.old.setdefault(path, Symbol(path, degree=1))

    def W_ih(self, gate: str, x: Symbol) -> Symbol:
        """See `Ops`."""
        self._known(gate)
        self.input_gates.append(gate)
        return Symbol(f"W_ih {gate}", (x,))

    def W_hh(self, gate: str, h: Symbol) -> Symbol:
        """See `Ops`."""
        self._known(gate)
        self.state_reads[gate] = h.made_by if h in self.old.values() else None
        return Symbol(f"W_hh {gate}", (h,), NONLINEAR)  # linear, but not unit by unit

    def vector(self, symbol: str) -> Symbol:
        """See `Ops`."""
        self.vectors.add(symbol)
        return Symbol(symbol)

    def sigmoid(self, a: Symbol) -> Symbol:
        """See `Ops`."""
        return _applied("sigmoid", a)

    def tanh(self, a: Symbol) -> Symbol:
        """See `Ops`."""
        return _applied("tanh", a)

    def relu(self, a: Symbol) -> Symbol:
        """See `Ops`."""
        return _applied("relu", a)

    def phi(self, a: Symbol) -> Symbol:
        """See `Ops`."""
        return _applied("phi", a)

    def layer_norm(self, parts: Sequence[Symbol], gain: str, shift: str) -> list[Symbol]:
        """See `Ops`."""
        self.normalises = True
        for name in (gain, shift):
            self.vectors |= {symbol for vector in self.cell.vectors if vector.name == name for symbol in vector.symbols}
        degree = NONLINEAR if any(part.degree for part in parts) else 0
        self.state_normalisations += [gain] * (degree > 0)
        return [Symbol("layer_norm", tuple(parts), degree) for _ in parts]

    def state(self, name: str, value: Symbol) -> Symbol:
        """See `Ops`."""
        return value

    def _known(self, gate: str) -> None:
        if gate not in self.cell.letters:
            raise CellError(f"{self.cell.title}: the step uses the gate {gate!r}, which `letters` does not have.")


def _applied(name: str, a: Symbol) -> Symbol:
    return Symbol(name, (a,), NONLINEAR if a.degree else 0)


def structure_of(cell: Declaration) -> Structure:
    """Run a cell's step on symbols.

    Raises:
        CellError: if the step does not use what the cell declares, or uses something else.
    """
    ops = SymbolOps(cell)
    values, states = cell.step(ops, Symbol("x"), ops.read)
    used: dict[str, tuple[Any, Any]] = {
        "gates with W_ih": (set(ops.input_gates), set(cell.letters)),
        "gates with W_hh": (set(ops.state_reads), set(cell.letters if ops.state_reads else ())),
        "paths": (set(ops.old), set(cell.paths)),
        "vectors": (ops.vectors, {symbol for vector in cell.vectors for symbol in vector.symbols}),
        "gates whose W_hh reads something made of states": (
            {gate for gate, path in ops.state_reads.items() if path is None},
            set(cell.state_arguments),
        ),
        "new states": (set(states), set(cell.states)),
        "values": (set(values) | set(cell.states), {*cell.letters, *cell.terms, *cell.states}),
    }
    for what, (found, declared) in used.items():
        if found != declared:
            raise CellError(f"{cell.title}: {what} in the step: {_listed(found)}; declared: {_listed(declared)}.")
    linear = cell.states == ("h",) and states["h"].degree == 1 and cell.retain_gate is not None
    return Structure(
        state_reads=ops.state_reads,
        is_unitwise=not ops.normalises and None not in ops.state_reads.values(),
        is_linear=linear,
        state_normalisations=tuple(ops.state_normalisations),
        values=values,
        states=states,
    )


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
