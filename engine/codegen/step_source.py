"""The lines of a cell's step in a script, spelled out from the step's own source. No torch.

A step is written in terms of `ops` and of `s`, the old states. Here its syntax tree is copied, with what these stand
for in their place. The order of all operations stays, so that a script computes the very same numbers.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from dataclasses import dataclass

from engine.cells import Cell
from engine.cells.structure import CellError
from engine.codegen.step_spelling import NORMALISED, Line, Spelling, names_in

REMARK = re.compile(r"  # (?!noqa|type:|fmt:|pragma).*")
"""A comment beside a line, unless it is an instruction to a tool."""


@dataclass(frozen=True)
class StepSource:
    """One step of a cell in a script.

    Args:
        before: lines to execute once, before the first step.
        lines: the lines of a step up to its new states; they read `entering`, `hidden` and `cell`.
        states: the expression of the new states, in the cell's order.
        remark: the step's own comment beside its new states, or "".
        normalises: True if the function `normalised` is used.
    """

    before: tuple[str, ...]
    lines: tuple[str, ...]
    states: str
    remark: str
    normalises: bool


def step_source(cell: Cell, nonlinearity: str) -> StepSource:
    """Spell out the step of a cell.

    Without recurrence (`Cell.is_recurrent`) the lines compute all steps at once, from `inputs`.

    Args:
        nonlinearity: the activation that `ops.phi` stands for.

    Raises:
        CellError: if the step is more than assignments of new names, each once, and a return of two dictionaries.
    """
    text = textwrap.dedent(inspect.getsource(cell.step))
    function = ast.parse(text).body[0]
    if not isinstance(function, ast.FunctionDef):
        raise CellError(f"{cell.title}: the step is not written with def.")
    spelling, source = Spelling(cell, nonlinearity, function), text.splitlines()
    *body, last = function.body
    new_states = _returned(cell, last)
    lines = [line for node in _needed(body, new_states) for line in spelling.assigned(node, _remark(source, node))]
    return _finished(spelling, lines, [spelling.visit(value) for value in new_states], _remark(source, last))


def _returned(cell: Cell, last: ast.stmt) -> list[ast.expr]:
    """The new states in the cell's order; the values that the step returns for display are not read."""
    match last:
        case ast.Return(value=ast.Tuple(elts=[_, ast.Dict(keys=keys, values=values)])):
            named = {key.value: value for key, value in zip(keys, values, strict=True) if isinstance(key, ast.Constant)}
            if set(named) == set(cell.states):
                return [named[state] for state in cell.states]
    raise CellError(f"{cell.title}: the step does not return two dictionaries, the second with the new states by name.")


def _needed(body: list[ast.stmt], new_states: list[ast.expr]) -> list[ast.stmt]:
    """The statements that the new states need: no docstring, and nothing that is only for display."""
    names, kept = {name for value in new_states for name in names_in(value)}, list[ast.stmt]()
    for node in reversed(body):
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_idle = isinstance(node, ast.Assign) and not names & {
            name for each in node.targets for name in names_in(each)
        }
        if not (is_docstring or is_idle):
            kept.insert(0, node)
            names |= names_in(node)
    return kept


def _remark(source: list[str], node: ast.stmt) -> str:
    """The comment at the end of a statement."""
    found = REMARK.search(source[(node.end_lineno or node.lineno) - 1])
    return found.group() if found else ""


def _finished(spelling: Spelling, lines: list[Line], states: list[ast.expr], remark: str) -> StepSource:
    """Put the parts together.

    A last line that is the one new state itself becomes the expression of it; products that nothing reads are dropped.
    """
    if len(states) == 1 and lines and lines[-1].targets == (ast.unparse(states[0]),):
        *lines, last = lines
        states, remark = [last.value], last.remark
    needed = {name for value in (*states, *(line.value for line in lines)) for name in names_in(value)}
    products = [line for line in spelling.products() if needed & set(line.targets)]
    needed |= {name for line in products for name in names_in(line.value)}
    return StepSource(
        before=tuple(line.text for line in spelling.preparations() if needed & set(line.targets)),
        lines=tuple(line.text for line in (*products, *lines)),
        states=", ".join(map(ast.unparse, states)),
        remark=remark,
        normalises=NORMALISED in needed,
    )
