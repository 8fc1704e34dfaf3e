"""What a cell's step does with its values, found by running it on symbols: the graph that picture, numbers and
equations of the microscope share. No torch.

Every value has an id, the same in all three: "x", "h old", "c", "gate f", "W_x f" (W_xf x_t), "gate f * c old".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from engine.cells import Cell
from engine.cells.structure import CellError, Symbol, SymbolOps

FUNCTIONS = ("sigmoid", "tanh", "relu", "phi")


@dataclass(frozen=True)
class Normalisation:
    """The names of gain and shift of a layer normalisation, and which of its parts a value is."""

    gain: str
    shift: str
    part: int


@dataclass
class RecordingOps(SymbolOps):
    """Symbols, and besides which of them are vectors and parts of a layer normalisation."""

    vector_symbols: dict[Symbol, str] = field(default_factory=dict)
    normalised: dict[Symbol, Normalisation] = field(default_factory=dict)

    def vector(self, symbol: str) -> Symbol:
        """See `Ops`."""
        made = super().vector(symbol)
        self.vector_symbols[made] = symbol
        return made

    def layer_norm(self, parts: Sequence[Symbol], gain: str, shift: str) -> list[Symbol]:
        """See `Ops`."""
        made = super().layer_norm(parts, gain, shift)
        self.normalised |= {symbol: Normalisation(gain, shift, at) for at, symbol in enumerate(made)}
        return made


@dataclass(frozen=True)
class Operation:
    """What happens to a value on its way.

    Args:
        kind: "product" (with a block of weights), "vector", "valve" (times a gate), "factor" (times a number), "norm"
            (layer normalisation) or "function".
        value: id of the value behind it.
        name: the gate's letter, the vector's symbol, the number or the function.
        complement: of a valve: it is as open as 1 - gate.
    """

    kind: str
    value: str
    name: str = ""
    complement: bool = False

    @property
    def control(self) -> str:
        """The id of the factor of a valve, for example "gate z" or "1 - gate z"."""
        return f"1 - gate {self.name}" if self.complement else f"gate {self.name}"


@dataclass(frozen=True)
class Way:
    """How a value comes to a sum: where it begins, by its id, and what happens to it in order."""

    source: str
    operations: tuple[Operation, ...] = ()

    def then(self, operation: Operation) -> Way:
        """The same, a step further."""
        return Way(self.source, (*self.operations, operation))

    def has(self, *kinds: str) -> bool:
        """True if an operation of one of these kinds is on the way."""
        return any(each.kind in kinds for each in self.operations)

    @property
    def value(self) -> str:
        """The id of what arrives."""
        return self.operations[-1].value if self.operations else self.source


@dataclass(frozen=True)
class Result:
    """A gate or a new state: a sum of ways, and what happens to the sum.

    Args:
        value: its id. total: the id of the sum, the argument of the first function behind it.
        after: operations on the sum; empty if the value is the sum itself.
    """

    value: str
    total: str
    ways: tuple[Way, ...]
    after: tuple[Operation, ...] = ()


class StepGraph:
    """One run of a cell's step on symbols.

    Args:
        cell: any cell, also one that is not in the catalogue.
        nonlinearity: the function that stands for phi.

    Attributes:
        gates: {letter: how it is made}. states: {"h" or "c": how the new state is made}.
        symbols: {id: symbol} of every value that these name.
    """

    def __init__(self, cell: Cell, nonlinearity: str) -> None:
        self.cell, self.nonlinearity = cell, nonlinearity
        self.ops = RecordingOps(cell)
        values, states = cell.step(self.ops, Symbol("x"), self.ops.read)
        self.old = {symbol: cell.paths[path] for path, symbol in self.ops.old.items()}
        self._names = {values[letter]: f"gate {letter}" for letter in cell.letters}
        self._names |= {symbol: state for state, symbol in states.items()}
        self._names |= {symbol: f"{state} old" for symbol, state in self.old.items()}
        self.symbols: dict[str, Symbol] = {name: symbol for symbol, name in self._names.items()}
        self.gates = {letter: self._result(values[letter], f"sum {letter}") for letter in cell.letters}
        self.states = {state: self._result(symbol, f"sum {state}") for state, symbol in states.items()}

    @property
    def memory(self) -> str:
        """The state that carries memory."""
        return self.cell.states[-1]

    @cached_property
    def kept(self) -> Way | None:
        """The way past all weights from the old memory to the new one; None without one."""
        ways = self.states[self.memory].ways
        past = (way for way in ways if way.source == f"{self.memory} old" and not way.has("product", "vector"))
        return next(past, None)

    @cached_property
    def is_plain(self) -> bool:
        """True if the cell is one function of one sum: no gate, no second state."""
        letters, gate = self.cell.letters, self.gates[self.cell.letters[0]]
        return len(letters) == 1 and self.states.keys() == {"h"} and gate.value == "h" and len(gate.after) == 1

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The letters from left to right: what keeps the memory, what shapes new content, new content, what lets out.

        In this order no gate's line has to cross another one's.
        """
        return tuple(sorted(self.cell.letters, key=self._rank))  # stable: equals stay in the cell's own order

    def bare_biases(self, letter: str) -> list[int]:
        """Which biases are terms of a gate's own sum: 0 of the product with x, 1 of that with h.

        A bias of a product that goes through a valve or a normalisation first belongs to that product's own term.
        """
        values = {way.value for way in self.gates[letter].ways}
        if not self.cell.has_bias:
            return []
        return [at for at, name in enumerate((f"W_x {letter}", f"W_h {letter}")) if name in values]

    def name(self, symbol: Symbol) -> str:
        """The id of a value."""
        if symbol in self._names:
            return self._names[symbol]
        if symbol in self.ops.vector_symbols:
            return f"vector {self.ops.vector_symbols[symbol]}"
        made, inputs = symbol.made_by, symbol.inputs
        if made.startswith(("W_ih", "W_hh")):
            return f"{'W_x' if made.startswith('W_ih') else 'W_h'} {made.split()[1]}"
        if symbol in self.ops.normalised:
            return f"LN({self.name(inputs[self.ops.normalised[symbol].part])})"
        if made in FUNCTIONS:
            return f"{self.function(made)}({self.name(inputs[0])})"
        return f" {made} ".join(self.name(each) for each in inputs) if inputs else made

    def function(self, made_by: str) -> str:
        """The function's own name in place of phi."""
        return self.nonlinearity if made_by == "phi" else made_by

    # ---- reading the graph

    def _rank(self, letter: str) -> int:
        memory, gate = self.states[self.memory], f"gate {letter}"

        def opens(ways: Sequence[Way]) -> bool:
            return any(each.kind == "valve" and each.name == letter for way in ways for each in way.operations)

        if self.kept and opens([self.kept]):
            return 0
        if any(opens(result.ways) for result in self.gates.values()):
            return 1
        if any(way.source == gate for way in memory.ways):
            return 3
        return 2 if opens(memory.ways) else 4

    def _result(self, symbol: Symbol, total: str) -> Result:
        """Take a value apart: functions from the outside, then addends."""
        after, value = [], symbol
        while symbol.made_by in FUNCTIONS and (symbol is value or symbol not in self._names):
            after.append(Operation("function", self.name(symbol), self.function(symbol.made_by)))
            symbol = symbol.inputs[0]
        ways = tuple(self._way(each, is_root=each is value) for each in self._addends(symbol, is_root=symbol is value))
        if after and len(ways) == 1 and not ways[0].has("product"):  # such as h = tanh(c), without a sum
            chain = Way(ways[0].source, (*ways[0].operations, *reversed(after)))
            return Result(self.name(value), self.name(value), (chain,))
        if after:
            self.symbols[total] = symbol
        return Result(self.name(value), total if after else self.name(value), ways, tuple(reversed(after)))

    def _addends(self, symbol: Symbol, *, is_root: bool = False) -> list[Symbol]:
        """What a sum is made of; n + z * (h - n) as z * h + (1 - z) * n, as textbooks write it."""
        if symbol.made_by not in ("+", "-") or (symbol in self._names and not is_root) or self._complement(symbol):
            return [symbol]
        first, second = symbol.inputs
        left, right = self._addends(first), self._addends(second)
        if symbol.made_by == "-":
            right = [Symbol("*", (Symbol("-1"), each)) for each in right]
        found = [*left, *right]
        for product in found:
            for factor in product.inputs if product.made_by == "*" else ():
                if factor.made_by == "-" and factor.inputs[1] in found and factor not in self._names:
                    (gate,) = (each for each in product.inputs if each is not factor)
                    to, start = factor.inputs
                    rest = Symbol("*", (Symbol("-", (Symbol("1"), gate)), start))
                    mixed = {product: Symbol("*", (gate, to)), start: rest}
                    return [mixed.get(each, each) for each in found]
        return found

    def _complement(self, symbol: Symbol) -> str:
        """The letter of z if this is 1 - z of a gate, else an empty string."""
        if symbol.made_by != "-" or symbol.inputs[0].made_by not in ("1", "1.0"):
            return ""
        name = self._names.get(symbol.inputs[1], "")
        return name.removeprefix("gate ") if name.startswith("gate ") else ""

    def _way(self, symbol: Symbol, *, is_root: bool = False) -> Way:
        """How this value comes about, without a sum on its way.

        Raises:
            CellError: if there is one.
        """
        name, made = self.name(symbol), symbol.made_by
        if is_root and made.startswith("W_"):  # the gate is the product itself
            name = f"{'W_x' if made.startswith('W_ih') else 'W_h'} {made.split()[1]}"
        if (symbol in self._names and not is_root) or made == "x":
            return Way(name)
        self.symbols[name] = symbol
        if made.startswith("W_"):
            return self._way(symbol.inputs[0]).then(Operation("product", name, made.split()[1]))
        if symbol in self.ops.normalised:
            return self._way(symbol.inputs[self.ops.normalised[symbol].part]).then(Operation("norm", name))
        if made in FUNCTIONS:
            return self._way(symbol.inputs[0]).then(Operation("function", name, self.function(made)))
        if made == "*":
            return self._multiplied(symbol)
        raise CellError(f"{self.cell.title}: the picture of the cell has no place for {name}.")

    def _multiplied(self, symbol: Symbol) -> Way:
        """A value that is let through by gates, or multiplied unit by unit with a vector."""
        factors = [factor for each in symbol.inputs for factor in self._factors(each)]
        carried = max(factors, key=self._carries)
        factors.remove(carried)
        way = self._way(carried)
        for factor in factors:
            carried = Symbol("*", (factor, carried))
            value, complement = self.name(carried), self._complement(factor)
            self.symbols[value] = carried
            self.symbols[self.name(factor)] = factor
            if factor in self.ops.vector_symbols:
                way = way.then(Operation("vector", value, self.ops.vector_symbols[factor]))
            elif complement or self._names.get(factor, "").startswith("gate "):
                letter = complement or self._names[factor].removeprefix("gate ")
                way = way.then(Operation("valve", value, letter, bool(complement)))
            elif not factor.inputs:
                way = way.then(Operation("factor", value, factor.made_by))
            else:
                raise CellError(f"{self.cell.title}: the picture of the cell has no place for {value}.")
        return way

    def _factors(self, symbol: Symbol) -> list[Symbol]:
        if symbol.made_by != "*" or symbol in self._names:
            return [symbol]
        return [factor for each in symbol.inputs for factor in self._factors(each)]

    def _carries(self, symbol: Symbol) -> int:
        """Of the factors of a product the one with the largest number is carried, the others let it through."""
        if symbol in self.old or self._names.get(symbol) in self.cell.states:
            return 4
        if symbol in self._names:
            return 1 if symbol.made_by == "sigmoid" else 2
        if self._complement(symbol) or not symbol.inputs:
            return 0
        return 3


@lru_cache(maxsize=64)
def step_graph(cell: Cell, nonlinearity: str) -> StepGraph:
    """The graph of a cell's step: found once, and never changed."""
    return StepGraph(cell, nonlinearity)
