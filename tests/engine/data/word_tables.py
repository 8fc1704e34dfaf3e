"""Tables made by hand for the tests of the kinds of words, and what was said of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.data.problems import Notes
from engine.data.table import Column, Table
from engine.data.tasks import MAKERS
from engine.experiment import Experiment
from engine.tasks import OWN_DATA, Task, register


def table_of(types: dict[str, str], **columns: Sequence[object]) -> tuple[Table, list[Column]]:
    """A table with a header, and its columns as `describe` would make them. types: {column: its type}."""
    names, rows = tuple(types), len(next(iter(columns.values())))
    table = Table(names, tuple(list(columns[name]) for name in names), np.arange(2, rows + 2), True, ",")
    return table, [column_of(name, kind, columns[name]) for name, kind in types.items()]


def column_of(name: str, kind: str, cells: Sequence[object]) -> Column:
    values = np.array([np.nan if cell is None else float(cell) for cell in cells]) if kind == "number" else None
    words = float(np.mean([len(str(cell).split()) for cell in cells]))
    return Column(name, kind, list(cells), values, None, len({cell for cell in cells if cell is not None}), words)


def said(notes: Notes) -> str:
    return "\n".join(f"{problem.line} {problem.sentence}" for problem in notes)


def experiment_of(task: Task, kind: str, **settings: Any) -> Experiment:
    """A small experiment on this task of own data. Whoever calls it must hold the task."""
    options = {"data": f"{id(task):x}", "kind": kind}
    register(options, task)
    settings = {"rnn_type": task.rnn_types[0], "hidden_size": 6, "batch_size": 4, **settings}
    return Experiment(task=OWN_DATA, task_options=options, **settings)


def task_for(kind: str, read: tuple[dict[str, Any], Any], name: str = "mine.csv") -> Task:
    return MAKERS[kind](name, *read)
