"""Edit source text: insert the values that an experiment fixes, keep formatting and comments."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Collection, Iterator
from typing import Any

from engine.experiment import Experiment

EXPERIMENT = "experiment"
Edit = tuple[int, int, str]
"""(first byte, byte after the last, replacement)."""


def specialise(text: str, experiment: Experiment, tasks: dict[str, dict[str, str]]) -> str:
    """Specialise a statement for one experiment.

    The argument `experiment` is removed, `experiment.seq_len` becomes SEQ_LEN, any other setting its value. Branches on
    a setting are resolved, and attributes of tasks are replaced by their source.

    Args:
        tasks: task name to {argument: source}.
    """
    resolved = _apply(text, list(_branch_edits(text, experiment)))
    return _apply(resolved, list(_value_edits(resolved, experiment, tasks)))


def keep_read_names(text: str, names: Collection[str]) -> str:
    """Reduce an assignment to several names to the names that are used."""
    places, node = _Places(text), ast.parse(text).body[0]
    target, value = (node.targets[0], node.value) if isinstance(node, ast.Assign) else (None, None)
    if not (isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)):
        return text
    pairs = zip(target.elts, value.elts, strict=True)
    kept = [(name, ast.unparse(each)) for place, each in pairs if (name := ast.unparse(place)) in names]
    if len(kept) == len(target.elts):
        return text
    written = f"{', '.join(name for name, _ in kept)} = {', '.join(value for _, value in kept)}"
    return _apply(text, [(places.start(node), places.end(node), written)])


def _is_setting(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == EXPERIMENT


def _branch_edits(text: str, experiment: Experiment) -> Iterator[Edit]:
    """Edits that resolve `if experiment.<setting> == <value>:` whose body returns: keep the body, or what follows."""
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


def _value_edits(text: str, experiment: Experiment, tasks: dict[str, dict[str, str]]) -> Iterator[Edit]:
    """Edits that insert settings, remove the argument `experiment`, and insert attributes of tasks."""
    places = _Places(text)
    for node in ast.walk(ast.parse(text)):
        if _is_setting(node):
            assert isinstance(node, ast.Attribute)
            value = "SEQ_LEN" if node.attr == "seq_len" else repr(getattr(experiment, node.attr))
            yield places.start(node), places.end(node), value
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in tasks:
            yield places.start(node), places.end(node), tasks[node.value.id][node.attr]
        elif isinstance(node, ast.arguments):
            yield from _removals(places, [*node.args], lambda each: each.arg == EXPERIMENT)
        elif isinstance(node, ast.Call):
            yield from _removals(
                places, [*node.args], lambda each: isinstance(each, ast.Name) and each.id == EXPERIMENT
            )


def _removals(places: _Places, listed: list, matches: Callable[[Any], bool]) -> Iterator[Edit]:
    """Edits that remove the matching items of an argument list, with a comma."""
    for at, each in enumerate(listed):
        if matches(each):
            if at + 1 < len(listed):
                yield places.start(each), places.start(listed[at + 1]), ""
            else:
                yield places.end(listed[at - 1]) if at else places.start(each), places.end(each), ""


class _Places:
    """Byte positions of syntax-tree nodes in their text."""

    def __init__(self, text: str) -> None:
        self._starts = [0]
        for line in text.encode().splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def start(self, node: ast.expr | ast.stmt | ast.arg) -> int:
        """The first byte of a node."""
        return self._starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt | ast.arg) -> int:
        """The byte after the last of a node."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self._starts[node.end_lineno - 1] + node.end_col_offset


def _apply(text: str, edits: list[Edit]) -> str:
    whole = text.encode()
    for start, end, replacement in sorted(edits, reverse=True):
        whole = whole[:start] + replacement.encode() + whole[end:]
    return whole.decode()
