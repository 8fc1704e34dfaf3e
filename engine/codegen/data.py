"""The data section of a script: the statements of the task's source that drawing a batch needs, in source order.

Statements are copied, with values that the experiment fixes inserted: `experiment.seq_len` becomes SEQ_LEN, and the
argument `experiment` is removed.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import symtable
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from engine import package
from engine.codegen.own.data import own_data
from engine.codegen.own.writer import Own
from engine.codegen.packed import CONSTANTS, FUNCTIONS, UNPACKED, unpacking
from engine.codegen.source_edits import keep_read_names, specialise
from engine.data.dataset import Dataset
from engine.experiment import Experiment
from engine.tasks import task_of
from engine.tasks.chunks import Chunks
from engine.tasks.unknown_words import has_unknown, hide_words

BASE = "engine.tasks.base"
OURS = f"{package.NAME}."
BATCH = ("engine.tasks.batch", "Batch")
"""The one class that scripts define themselves."""


@dataclass(frozen=True)
class Data:
    """The data section of a script.

    Args:
        text: definitions, in an order that can be executed.
        imports: the import statements that they need.
        names: all names that are defined or referred to there.
        draw: the expression that draws a batch, using `rng`, `batch_size` and `split`; where a state is carried on, the
            one that gives the whole text or series.
        hides: some words of training sequences are hidden, by `hide_words`.
        shorten: the function that makes sequences shorter; "" where they are not.
    """

    text: str
    imports: tuple[str, ...]
    names: frozenset[str]
    draw: str
    hides: bool
    shorten: str = ""


@dataclass(frozen=True)
class Source:
    """A module of the engine.

    Args:
        statements: their text. defined: name to index of its statement.
        ours: imported name to (module, name) in the engine. foreign: imported name to its import statement.
    """

    statements: tuple[str, ...]
    defined: dict[str, int]
    ours: dict[str, tuple[str, str]]
    foreign: dict[str, str]


@cache
def _source(module: str) -> Source:
    text = inspect.getsource(importlib.import_module(module))
    lines, body = text.splitlines(), ast.parse(text).body
    statements: list[str] = []
    defined: dict[str, int] = {}
    ours: dict[str, tuple[str, str]] = {}
    foreign: dict[str, str] = {}
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(OURS):
            ours |= {each.asname or each.name: (str(node.module), each.name) for each in node.names}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for each in node.names:
                foreign[each.asname or each.name] = ast.unparse(
                    ast.Import([each]) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, [each], 0)
                )
        elif names := list(_names(node)):
            defined |= dict.fromkeys(names, len(statements))
            statements.append(_text(lines, node, after))
    return Source(tuple(statements), defined, ours, foreign)


def _names(node: ast.stmt) -> Iterator[str]:
    """The names that a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            yield from (each.id for each in ast.walk(target) if isinstance(each, ast.Name))


def _text(lines: list[str], node: ast.stmt, after: ast.stmt | None) -> str:
    """The text of a statement, with decorators, the comment directly above and the docstring directly below."""
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef | ast.ClassDef) else []
    first, last = min([node.lineno, *(each.lineno for each in decorators)]), node.end_lineno or node.lineno
    while lines[first - 2].startswith("# ") and not lines[first - 2].startswith("# ----"):
        first -= 1
    if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):  # a docstring
        last = after.end_lineno or last
    return "\n".join(line.replace("  # fmt: skip", "") for line in lines[first - 1 : last])


def _referred(text: str) -> set[str]:
    """Module-level names that a statement refers to, including those in annotations."""
    top = symtable.symtable(text, "statement", "exec")
    names = {each.get_name() for each in top.get_symbols() if each.is_referenced()}
    waiting = list(top.get_children())
    while waiting:
        inner = waiting.pop()
        names |= {each.get_name() for each in inner.get_symbols() if each.is_global() and each.is_referenced()}
        waiting += inner.get_children()
    return names


def bundle(experiment: Experiment) -> Data:
    """The data section for an experiment.

    Raises:
        ScriptError: for own data that a script cannot hold.
    """
    draw, carries = task_of(experiment).draw, experiment.carry_state
    collector = _Collector(experiment)
    own = ""
    if isinstance(dataset := task_of(experiment).made_of, Dataset):
        call, own = _of_own_data(dataset, collector, carries)
    elif carries and (passages := task_of(experiment).passages) is not None:
        call = f"{passages.__name__}()"
        collector.follow(passages.__module__, passages.__name__)
    elif draw.__name__ == "<lambda>":
        call, names = _of_lambda(draw.__module__, experiment)
        for name in names:
            collector.follow(draw.__module__, name)
    else:
        call = f"{draw.__name__}(rng, batch_size, split)"
        collector.follow(draw.__module__, draw.__name__)
    hides = has_unknown(task_of(experiment).input_labels)
    if carries:
        collector.follow(Chunks.__module__, Chunks.__name__)
    if hides or not carries:
        collector.follow(BASE, "stream")
    if hides:
        collector.follow(hide_words.__module__, hide_words.__name__)
    shorten = task_of(experiment).shorten if experiment.shortest else None
    if shorten is not None:
        collector.follow(shorten.__module__, shorten.__name__)
    text = "\n\n\n".join(filter(None, [collector.text(), own]))
    shorter = "" if shorten is None else shorten.__name__
    return Data(text, tuple(sorted(collector.imports)), frozenset(collector.names), call, hides, shorter)


def _of_own_data(dataset: Dataset, collector: _Collector, carries: bool) -> tuple[str, str]:
    """The expression `Data.draw` for somebody's own data, and the text of what it needs beside the engine's."""
    own: Own = own_data(dataset, carries)
    for module, name in own.engine:
        collector.follow(module, name)
    collector.imports |= own.imports
    collector.names |= own.names
    return own.draw, own.text


def _of_lambda(module: str, experiment: Experiment) -> tuple[str, set[str]]:
    """The body of a task's `draw` if that is a lambda, and the module-level names in it."""
    for node in ast.walk(ast.parse("\n".join(_source(module).statements))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Task":
            given = {each.arg: each.value for each in node.keywords}
            slug, draw = given["slug"], given["draw"]
            if isinstance(slug, ast.Constant) and slug.value == experiment.task and isinstance(draw, ast.Lambda):
                arguments = {each.arg for each in draw.args.args}
                body = specialise(ast.unparse(draw.body), experiment, {})
                return body, _referred(body) - arguments
    raise LookupError(f"{module} has no task {experiment.task} with a lambda for its draw.")


class _Collector:
    """Collects the needed statements by module, in the order of the source."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.reached: dict[str, dict[int, str]] = {}  # module -> index of the statement -> text
        self.before: dict[str, set[str]] = {}  # module -> modules it imports from
        self.imports: set[str] = set()
        self.names: set[str] = set()

    def follow(self, module: str, name: str) -> None:
        """Collect a name of a module, and everything that it refers to."""
        source = _source(module)
        self.names.add(name)
        if name in source.foreign:
            self.imports.add(source.foreign[name])
        elif name in source.ours:
            self.before.setdefault(module, set()).add(source.ours[name][0])
            self.follow(*source.ours[name])
        elif (name in source.defined or (module, name) in CONSTANTS) and (module, name) != BATCH:
            place = source.defined.get(name, -1)  # a constant that exists only in scripts comes first
            if place not in self.reached.setdefault(module, {}):
                text = self.reached[module][place] = self._written(module, name, source)
                for each in sorted(_referred(text)):
                    self.follow(module, each)
        elif name == "unpacked":
            self.imports |= {"import base64", "import zlib"}
        elif name not in ("SEQ_LEN", "Batch") and not hasattr(builtins, name):
            raise LookupError(f"{module} refers to {name}, which it neither defines nor imports.")

    def _written(self, module: str, name: str, source: Source) -> str:
        """The statement that defines a name, as written in a script."""
        if (module, name) in CONSTANTS:
            return CONSTANTS[module, name]()
        text = FUNCTIONS.get((module, name)) or source.statements[source.defined[name]]
        return specialise(unpacking(text), self.experiment, self._tasks(source))

    def _tasks(self, source: Source) -> dict[str, dict[str, str]]:
        """Task name to {argument: source} for the tasks that a module defines."""
        tasks = {}
        for name, place in source.defined.items():
            node = ast.parse(source.statements[place]).body[0]
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                given = node.value
                if isinstance(given.func, ast.Name) and given.func.id == "Task":
                    tasks[name] = {str(each.arg): ast.unparse(each.value) for each in given.keywords}
        return tasks

    def _order(self) -> list[str]:
        """The modules, each after those that it imports from."""
        ordered: list[str] = []

        def add(module: str) -> None:
            for earlier in sorted(self.before.get(module, ())):
                add(earlier)
            if module not in ordered:
                ordered.append(module)

        for module in sorted(self.reached):
            add(module)
        return ordered

    def text(self) -> str:
        """The whole text: no empty lines between constants, two around functions and classes."""
        every = [each for module in self._order() for _, each in sorted(self.reached.get(module, {}).items())]
        texts = [keep_read_names(each, self.names) for each in every]
        if "unpacked" in self.names:
            texts.insert(0, UNPACKED)
        parts = texts[:1]
        for before, after in pairwise(texts):
            parts += ["\n" if _is_short(before) and _is_short(after) else "\n\n\n", after]
        return "".join(parts)


def _is_short(text: str) -> bool:
    return isinstance(ast.parse(text).body[0], ast.Assign | ast.AnnAssign)
