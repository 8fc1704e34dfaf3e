"""The equations of a cell beside its picture: every term is a piece with the id of its value. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from app.stage.microscope.names import FUNCTIONS, NOW, Names, factor
from app.stage.microscope.step_graph import Operation, Result, StepGraph, Way, step_graph
from engine.cells import Cell

Piece = str | tuple[str, str, str]
"""Words and signs, or (id, symbol, kind): kinds are "xh", "hh", "bias", "peephole", "gate", "state", "inner"."""
Line = list[Piece]

OPPOSITE = "Γ_u is 1 − z of PyTorch’s z: the boxes and sums here are those of z, the number of 1 − Γ_u is that of z."


@dataclass(frozen=True)
class Back:
    """What one step back along the memory multiplies a gradient by.

    Args:
        factors: ids of the factors, unit by unit; their product has the id "back".
        matrix: "W_hh" if a matrix comes on top; empty without.
        line: the same in words, with the factors as pieces.
    """

    factors: tuple[str, ...]
    matrix: str
    line: Line


def lines(cell: Cell, nonlinearity: str, *, ng: bool = False) -> list[Line]:
    """The equations of a step: gates in the order of the picture, then the new states.

    Args:
        cell, nonlinearity: see `wiring`.
        ng: with the names of Andrew Ng's course.
    """
    return _Writer(step_graph(cell, nonlinearity), Names(cell, ng)).lines


def remark(cell: Cell, *, ng: bool = False) -> str:
    """What to know beside names that mean something else than PyTorch's; empty if there is nothing."""
    return OPPOSITE if Names(cell, ng).opposite else ""


def back(cell: Cell, nonlinearity: str = "tanh", *, ng: bool = False) -> Back:
    """What one step back along the memory path multiplies a gradient by, found from the step."""
    graph, names = step_graph(cell, nonlinearity), Names(cell, ng)
    if not cell.is_recurrent:
        return Back((), "", ["nothing goes back: this cell reads no earlier state"])
    if graph.kept is not None:
        return _along_memory(graph, names)
    ways = [way for result in graph.gates.values() for way in result.ways if way.source.endswith("old")]
    vectors = tuple(f"vector {each.name}" for way in ways for each in way.operations if each.kind == "vector")
    matrix = "W_hh" if any(way.has("product") for way in ways) else ""
    if not graph.is_plain:
        return Back((), matrix, ["one step back: through the gates and W_hh alone"])
    line: Line = ["one step back: ×", ("slope", "slope φ′", "inner")]
    for each in vectors:
        line += ["·", (each, each.removeprefix("vector "), "hh")]
    end = f", then through {matrix}" if matrix else f", unit by unit: no other unit reads this {names.state('h')}"
    return Back(("slope", *vectors), matrix, [*line, end])


def _along_memory(graph: StepGraph, names: Names) -> Back:
    assert graph.kept is not None
    factors: list[str] = []
    for each in graph.kept.operations:
        factors.append(each.control if each.kind == "valve" else each.name)
    functions = [each for each in graph.states[graph.memory].after if each.kind == "function"]
    line: Line = [f"one step back along {names.state(graph.memory)}: ×"]
    for at, identity in enumerate(factors):
        line += [*(["·"] if at else []), (identity, factor(names.value(identity)), "gate")]
    if not factors:
        line.append(("back", "1", "inner"))
    if functions:
        line.append("and the slope of the function behind the sum")
    return Back(tuple(factors), "", [*line, _besides(graph, names)])


def _besides(graph: StepGraph, names: Names) -> str:
    """By which other ways the old states reach the new memory, or h."""
    sources = {way.source for result in graph.gates.values() for way in result.ways}
    if graph.memory != "h" and "h old" in sources:
        rest = " and the peepholes" if sources & {graph.memory, f"{graph.memory} old"} else ""
        return f", and what comes through {names.state('h')}{rest} besides"
    reading = [
        names.gate(letter)
        for letter in graph.order
        if any(way.source.endswith("old") for way in graph.gates[letter].ways)
    ]
    if not reading:
        return ", and by no other way"
    listed = f"{', '.join(reading[:-1])} and {reading[-1]}" if len(reading) > 1 else reading[0]
    return f", and what comes through {listed} besides"


@dataclass(frozen=True)
class _Writer:
    """Writes a graph's results as lines."""

    graph: StepGraph
    names: Names

    @cached_property
    def lines(self) -> list[Line]:
        """All lines."""
        cell = self.graph.cell
        if self.graph.is_plain:
            return [self._state("h")]
        return [*map(self._gate, self.graph.order), *map(self._state, reversed(cell.states))]

    def _gate(self, letter: str) -> Line:
        symbol, result = self.names.gate(letter), self.graph.gates[letter]
        line: Line = [f"{self.names.word(letter)} {symbol} ="]
        return [*line, *self._sum(result, letter), "=", (result.value, symbol, "gate")]

    def _state(self, state: str) -> Line:
        symbol = self.names.state(state) + NOW
        letter = self.graph.cell.letters[0] if self.graph.is_plain else ""
        return [f"{symbol} =", *self._sum(self.graph.states[state], letter), "=", (state, symbol, "state")]

    def _sum(self, result: Result, letter: str) -> Line:
        """The right-hand side: functions around the sum of all ways and the bias."""
        terms: list[Line] = [self._term(way, letter) for way in result.ways]
        if not letter and self.graph.kept in result.ways:  # what is kept comes first, as everywhere
            terms.insert(0, terms.pop(result.ways.index(self.graph.kept)))
        if letter and self.graph.bare_biases(letter):
            terms.append([(f"b {letter}", self._bias(letter), "bias")])
        inside = [piece for at, term in enumerate(terms) for piece in (["+", *term] if at else term)]
        names = [FUNCTIONS[each.name] for each in result.after if each.name != "identity"]
        return [f"{'('.join(reversed(names))}(", *inside, ")" * len(names)] if names else inside

    def _bias(self, letter: str) -> str:
        bare = self.graph.bare_biases(letter)
        has_two = self.graph.cell.structure.has_state_product
        side = "" if len(bare) == 1 + has_two else "xh"[bare[0]]
        return f"b_{side}{letter}" if side or not self.graph.is_plain else "b"

    def _term(self, way: Way, letter: str) -> Line:
        """One way: the gates that it is let through by, and what they let through."""
        factors: Line = []
        operations = list(way.operations)
        while operations and operations[-1].kind in ("valve", "factor"):
            last = operations.pop()
            if last.kind == "factor":
                factors += ["−"] if last.name == "-1" else [f"{last.name} ·"]
            else:
                factors += [(last.control, factor(self.names.value(last.control)), "gate"), "·"]
        inner = Way(way.source, tuple(operations))
        if not operations:
            kind = "gate" if way.source.startswith("gate ") else "state"
            return [*factors, (way.source, self.names.value(way.source), kind)]
        is_behind = len(operations) < len(way.operations) and operations[-1].kind == "product"
        return [*factors, (inner.value, self._formula(inner, letter, with_bias=is_behind), self._kind(inner))]

    def _formula(self, way: Way, letter: str, *, with_bias: bool) -> str:
        """What has become of a source, as one symbol."""
        text = f"x{NOW}" if way.source == "x" else self.names.value(way.source)
        for each in way.operations:
            text = self._applied(each, text, letter)
        if with_bias and self.graph.cell.has_bias:
            return f"({text} + b_{'x' if way.source == 'x' else 'h'}{letter})"
        return text

    def _applied(self, operation: Operation, text: str, letter: str) -> str:
        if operation.kind == "product":
            side = "x" if operation.value.startswith("W_x") else "h"
            of = "h" if self.graph.is_plain else letter
            return f"W_{side}{of} {f'({text})' if ' ' in text else text}"
        if operation.kind == "valve":
            return f"{factor(self.names.value(operation.control))} ⊙ {text}"
        if operation.kind == "norm":
            return f"LN({text})"
        if operation.kind == "function":
            return f"{FUNCTIONS[operation.name]} {text}"
        return f"{operation.name} {text}"

    @staticmethod
    def _kind(way: Way) -> str:
        if way.has("product"):
            return "xh" if way.source == "x" else "hh"
        if way.has("vector"):
            return "peephole"
        return "inner"
