"""What `ops` and `s` of a cell's step stand for in a script: the translation of single expressions. No torch.

The lines around them are put together in `engine.codegen.step_source`.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from engine.cells import Cell
from engine.cells.structure import CellError

STATE_NAMES = {"h": "hidden", "c": "cell"}
"""The names of the states in a script."""
FUNCTIONS = {"sigmoid": "torch.sigmoid", "tanh": "torch.tanh", "relu": "torch.relu", "identity": ""}
"""The activations in a script; identity is the bare argument."""
NORMALISED = "normalised"
"""The name of the function of layer normalisation in a script; see `engine.codegen.cells`."""
RESERVED = {
    *("hidden", "cell", "entering", "from_inputs", "states", "zeros", "before", "reading", "new", "old", "t"),
    *("self", "inputs", "state", "lengths", "HIDDEN_SIZE"),
    *("torch", "nn", "math", "np", "linear", "enumerate", "zip", NORMALISED),
}
"""Names that the method around the step uses already."""
COPIED = (ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.Constant, ast.List, ast.Tuple, ast.expr_context)
"""What a step may contain besides names and calls."""


@dataclass(frozen=True)
class Line:
    """An assignment in a script; `remark` is a comment beside it, or ""."""

    targets: tuple[str, ...]
    value: ast.expr
    remark: str = ""

    @property
    def text(self) -> str:
        """The line."""
        values = self.value.elts if isinstance(self.value, ast.Tuple) else [self.value]
        return f"{', '.join(self.targets)} = {', '.join(map(ast.unparse, values))}{self.remark}"


@dataclass
class _Run:
    """Neighbouring gates whose rows of weight_hh are multiplied with the same old state, or one gate by itself.

    Args:
        letters: the gates. weights: the parameters of the product, as text. state: the old state's name, if it is one.
        names: of the gates' parts of the product; empty for one gate, whose product stands where the step has it.
    """

    letters: tuple[str, ...]
    weights: tuple[str, ...]
    state: str | None
    names: tuple[str, ...] = ()

    def product(self, argument: str) -> ast.expr:
        """The product with an old state, or with something made of it."""
        return _expression(f"linear({', '.join([argument, *self.weights])})")


@dataclass
class Spelling(ast.NodeTransformer):
    """Puts in the place of `ops` and `s` what they stand for."""

    cell: Cell
    nonlinearity: str
    function: ast.FunctionDef
    known: dict[str, ast.expr] = field(default_factory=dict)
    """What a name of the step stands for: a name in the script, or a list of parts."""

    def __post_init__(self) -> None:
        """Find names for all that has one."""
        self.ops, self.x, self.s = (argument.arg for argument in self.function.args.args)
        self.taken = set(RESERVED)
        assigned = [each.id for each in ast.walk(self.function) if isinstance(each, ast.Name) and _is_stored(each)]
        self.renamed = {name: self._free(name) for name in assigned}
        if len(assigned) > len(self.renamed):
            raise CellError(f"{self.cell.title}: the step assigns a name twice.")
        self.gains: dict[tuple[str, str], tuple[str, str]] = {}
        symbols = [symbol for vector in self.cell.vectors for symbol in vector.symbols]
        self.vectors = {symbol: self._free(re.sub(r"\W", "", symbol)) for symbol in symbols}
        inputs = ["inputs", "self.weight_ih_l0", *["self.bias_ih_l0"] * self.cell.has_bias]
        self.entering = "entering" if self.cell.is_recurrent else f"linear({', '.join(inputs)})"
        letters = self.cell.letters
        self.from_input = (
            tuple(self._free(f"x_{letter}") for letter in letters) if len(letters) > 1 else (self.entering,)
        )
        self.runs = list(self._runs())

    def _free(self, name: str) -> str:
        """A name that nothing else has."""
        while name in self.taken or keyword.iskeyword(name):
            name += "_"
        self.taken.add(name)
        return name

    def _runs(self) -> Iterator[_Run]:
        cell = self.cell
        states = {letter: path and STATE_NAMES[cell.paths[path]] for letter, path in cell.structure.state_reads.items()}
        ordered = [letter for letter in cell.letters if letter in states]
        grouped = [tuple(run) for _, run in groupby(ordered, key=lambda letter: states[letter] or letter)]
        for run in grouped:
            weights = ("self.weight_hh_l0", "self.bias_hh_l0")
            if len(grouped) > 1:
                weights = (self._free(f"W_h{''.join(run)}"), self._free(f"b_h{''.join(run)}"))
            yield _Run(
                letters=run,
                weights=weights if cell.has_bias else weights[:1],
                state=states[run[0]],
                names=tuple(self._free(f"h_{letter}") for letter in run) if len(run) > 1 else (),
            )

    def preparations(self) -> Iterator[Line]:
        """Lines that come before the first step: the parts of weight_hh, and vectors."""
        if len(self.runs) > 1:
            sizes = [_times(len(run.letters)) for run in self.runs]
            for k, name in enumerate(("weight_hh", "bias_hh")[: len(self.runs[0].weights)]):
                value = _expression(f"self.{name}_l0.split([{', '.join(sizes)}])")
                yield Line(tuple(run.weights[k] for run in self.runs), value)
        for vector in self.cell.vectors:
            count = len(vector.symbols)
            value = _expression(f"self.{vector.name}_l0" + (f".chunk({count})" if count > 1 else ""))
            yield Line(tuple(self.vectors[symbol] for symbol in vector.symbols), value)
        for (gain, shift), names in self.gains.items():
            pair = [_expression(f"self.{name}_l0") for name in (gain, shift)]
            yield Line(names, ast.Tuple(pair, ast.Load()))

    def products(self) -> Iterator[Line]:
        """Lines that come first in a step: the products, one part for each gate."""
        if len(self.from_input) > 1:
            yield Line(self.from_input, _chunks(_expression(self.entering), len(self.from_input)))
        for run in self.runs:
            if run.names and run.state:
                yield Line(run.names, _chunks(run.product(run.state), len(run.names)))

    def assigned(self, node: ast.stmt, remark: str) -> Iterator[Line]:
        """The line of an assignment; none if the name only stands for another name or a list of parts."""
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                names: tuple[str, ...] = (name,)
                spelled = self.visit(value)
                if isinstance(spelled, ast.Name | ast.List):
                    self.known[name] = spelled
                    return
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=value) if all(map(_is_stored, targets)):
                names = tuple(target.id for target in targets if isinstance(target, ast.Name))
                spelled = self.visit(value)
                if isinstance(spelled, ast.Tuple) and len(names) == len(spelled.elts) == 1:
                    spelled = spelled.elts[0]
            case _:
                raise self._error(node)
        self.known |= {name: _expression(self.renamed[name]) for name in names}
        yield Line(tuple(self.renamed[name] for name in names), spelled, remark)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """A value of the step."""
        if node.id not in self.known:
            raise self._error(node)
        return self.known[node.id]

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """An old state, or a call of `ops`."""
        match node:
            case ast.Call(func=ast.Name(id=self.s), args=[_, ast.Constant(value=str(state))], keywords=[]):
                return _expression(STATE_NAMES[state])
            case ast.Call(func=ast.Attribute(value=ast.Name(id=self.ops), attr=name), keywords=[]):
                return self._operation(name, node)
        raise self._error(node)

    def _operation(self, name: str, node: ast.Call) -> ast.expr:
        match name, node.args:
            case "W_ih", [ast.Constant(value=str(gate)), ast.Name(id=self.x)]:
                return _expression(self.from_input[self.cell.letters.index(gate)])
            case "W_hh", [ast.Constant(value=str(gate)), argument]:
                return self._state_product(node, gate, self.visit(argument))
            case "vector", [ast.Constant(value=str(symbol))]:
                return _expression(self.vectors[symbol])
            case "state", [_, value]:
                return self.visit(value)
            case "layer_norm", [parts, ast.Constant(value=str(gain)), ast.Constant(value=str(shift))]:
                listed = self.visit(parts)
                if not isinstance(listed, ast.List):
                    raise self._error(node)
                names = self.gains.setdefault((gain, shift), (self._free(gain), self._free(shift)))
                value = _expression(f"{NORMALISED}({ast.unparse(self._joined(listed))}, {', '.join(names)})")
                return ast.Tuple([value], ast.Load()) if len(listed.elts) == 1 else _chunks(value, len(listed.elts))
            case _, [argument] if name in ("sigmoid", "tanh", "relu", "phi"):
                function = FUNCTIONS[self.nonlinearity if name == "phi" else name]
                value = self.visit(argument)
                return ast.Call(_expression(function), [value], []) if function else value
        raise self._error(node)

    def _state_product(self, node: ast.Call, gate: str, argument: ast.expr) -> ast.expr:
        run = next(run for run in self.runs if gate in run.letters)
        text = ast.unparse(argument)
        if not run.names:
            return run.product(text)
        if text != run.state:
            raise self._error(node)
        return _expression(run.names[run.letters.index(gate)])

    def _joined(self, listed: ast.List) -> ast.expr:
        """The parts side by side; all parts of a product are the product itself."""
        names = tuple(ast.unparse(part) for part in listed.elts)
        if names == self.from_input:
            return _expression(self.entering)
        for run in self.runs:
            if run.state and names == run.names:
                return run.product(run.state)
        return listed.elts[0] if len(names) == 1 else _expression(f"torch.cat([{', '.join(names)}], -1)")

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Copy sums, products, numbers and lists; refuse all else."""
        if not isinstance(node, COPIED):
            raise self._error(node)
        return super().generic_visit(node)

    def _error(self, node: ast.AST) -> CellError:
        return CellError(f"{self.cell.title}: a script cannot spell out this part of the step: {ast.unparse(node)}")


def names_in(node: ast.AST) -> set[str]:
    """All names in a piece of code."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _is_stored(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _chunks(value: ast.expr, count: int) -> ast.expr:
    return _expression(f"{ast.unparse(value)}.chunk({count}, -1)")


def _times(count: int) -> str:
    return f"{count} * HIDDEN_SIZE" if count > 1 else "HIDDEN_SIZE"
