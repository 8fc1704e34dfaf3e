"""What a file of somebody's own became. No pandas."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from engine.data.content import Content
from engine.data.layout import Layout
from engine.data.problems import Problem
from engine.data.tasks import MAKERS
from engine.tasks import Task, register, task_of
from engine.tasks.base import DataSettings
from engine.tasks.own import known

KINDS = ("series", "text", "labelled", "pairs", "tagged", "sequences")
"""The kinds of data: numbers over time, running text, texts with a class each, pairs of texts, words with a tag each,
and many sequences of numbers."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Somebody's data, understood.

    Args:
        kind: one of KINDS.
        name: the file's name.
        fingerprint: SHA-256 of the bytes; says in links and recordings which data they need.
        summary: what was understood, as plain values.
        problems: first those that change numbers.
        choices: what a person has chosen instead of a guess.
        content: the numbers and symbols themselves.
        layout: how a program finds them in the lines of the file; None where that takes more than a few lines of code.
    """

    kind: str
    name: str
    fingerprint: str
    summary: dict[str, Any]
    problems: tuple[Problem, ...]
    choices: dict[str, Any]
    content: Content = field(repr=False)
    layout: Layout | None = field(default=None, repr=False)

    @property
    def options(self) -> dict[str, Any]:
        """The `task_options` of an experiment on these data."""
        return {"data": self.fingerprint, "kind": self.kind, **self.choices}

    @property
    def key(self) -> str:
        """Tells it apart from all others of this server: its options and its name.

        Several files with the bytes of others may have other names, and these are the names and the order of classes.
        """
        return json.dumps([self.options, self.name], sort_keys=True)

    def to_task(self) -> Task:
        """The task that these data ask of a network; the same object as long as something uses it."""
        if (made := known(self.options, self.name)) is not None:
            return made
        task = MAKERS[self.kind](self.name, self.summary, self.content)
        return register(self.options, replace(task, made_of=self), self.name)


def dataset_of(settings: DataSettings) -> Dataset | None:
    """The own data of these settings; None for a task of the catalogue, and where only a recording describes them."""
    made_of = task_of(settings).made_of
    return made_of if isinstance(made_of, Dataset) else None
