"""Source text with what an experiment fixes written in its place; formatting and comments stay as they are."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Collection, Iterator
from typing import Any

from engine.experiment import Experiment

EXPERIMENT = "experiment"
Edit = tuple[int, int, str]
"""From this byte to that, this instead."""


def fixed(text: str, experiment: Experiment, tasks: dict[str, dict[str, str]]) -> str:
    """A statement for one experiment alone.

    Its argument `experiment` goes, its seq_len becomes SEQ_LEN, any other setting its value, branches that a setting
    decides are decided, and what a statement asks of a task is written out.

    Args:
        tasks: the source of each argument of the module's tasks, by the task's name.
    """
    decided = _edited(text, list(_decided(text, experiment)))
    return _edited(decided, list(_values(decided, experiment, tasks)))


def thinned(text: str, names: Collection[str]) -> str:
    """A statement that names several values at once, with those alone that somebody reads."""
    places, node = _Places(text), ast.parse(text).body[0]
    target, value = (node.targets[0], node.value) if isinstance(node, ast.Assign) else (None, None)
    if not (isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)):
        return text
    pairs = zip(target.elts, value.elts, strict=True)
    kept = [(name, ast.unparse(each)) for place, each in pairs if (name := ast.unparse(place)) in names]
    if len(kept) == len(target.elts):
        return text
    written = f"{', '.join(name for name, _ in kept)} = {', '.join(value for _, value in kept)}"
    return _edited(text, [(places.start(node), places.end(node), written)])


def _is_setting(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == EXPERIMENT


def _decided(text: str, experiment: Experiment) -> Iterator[Edit]:
    """Every `if experiment.<setting> == <value>:` whose body returns: the body alone, or what follows it alone."""
    places, lines = _Places(text), text.splitlines()
    for function in ast.walk(ast.parse(text)):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in function.body:
            if not (isinstance(node, ast.If) and isinstance(node.test, ast.Compare) and _is_setting(node.test.left)):
                continue
            setting, value = node.test.left, node.test.comparators[0]
            assert isinstance(setting, ast.Attribute) and isinstance(value, ast.Constant)
            follows = function.body[function.body.index(node) + 1 :]
            chosen = node.body if getattr(experiment, setting.attr) == value.value else follows
            kept = textwrap.dedent("\n".join(lines[chosen[0].lineno - 1 : chosen[-1].end_lineno]))
            yield places.start(node), places.end(follows[-1]), textwrap.indent(kept, " " * node.col_offset).lstrip()


def _values(text: str, experiment: Experiment, tasks: dict[str, dict[str, str]]) -> Iterator[Edit]:
    """The experiment's settings, the argument wherever it is taken or given, and what is asked of a task."""
    places = _Places(text)
    for node in ast.walk(ast.parse(text)):
        if _is_setting(node):
            assert isinstance(node, ast.Attribute)
            value = "SEQ_LEN" if node.attr == "seq_len" else repr(getattr(experiment, node.attr))
            yield places.start(node), places.end(node), value
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in tasks:
            yield places.start(node), places.end(node), tasks[node.value.id][node.attr]
        elif isinstance(node, ast.arguments):
            yield from _without(places, [*node.args], lambda each: each.arg == EXPERIMENT)
        elif isinstance(node, ast.Call):
            yield from _without(places, [*node.args], lambda each: isinstance(each, ast.Name) and each.id == EXPERIMENT)


def _without(places: _Places, listed: list, is_meant: Callable[[Any], bool]) -> Iterator[Edit]:
    """Takes what is meant out of a list of arguments, and the comma beside it."""
    for at, each in enumerate(listed):
        if is_meant(each):
            if at + 1 < len(listed):
                yield places.start(each), places.start(listed[at + 1]), ""
            else:
                yield places.end(listed[at - 1]) if at else places.start(each), places.end(each), ""


class _Places:
    """Where a node of the syntax tree stands in its text, in bytes."""

    def __init__(self, text: str) -> None:
        self._starts = [0]
        for line in text.encode().splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def start(self, node: ast.expr | ast.stmt | ast.arg) -> int:
        """Its first byte."""
        return self._starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt | ast.arg) -> int:
        """The byte after its last."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self._starts[node.end_lineno - 1] + node.end_col_offset


def _edited(text: str, edits: list[Edit]) -> str:
    whole = text.encode()
    for start, end, instead in sorted(edits, reverse=True):
        whole = whole[:start] + instead.encode() + whole[end:]
    return whole.decode()
