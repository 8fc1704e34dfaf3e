"""What a file of somebody's own became. No pandas."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.data.content import Content
from engine.data.problems import Problem
from engine.data.tasks import MAKERS
from engine.tasks import Task, register

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
    """

    kind: str
    name: str
    fingerprint: str
    summary: dict[str, Any]
    problems: tuple[Problem, ...]
    choices: dict[str, Any]
    content: Content = field(repr=False)

    @property
    def options(self) -> dict[str, Any]:
        """The `task_options` of an experiment on these data."""
        return {"data": self.fingerprint, "kind": self.kind, **self.choices}

    def to_task(self) -> Task:
        """The task that these data ask of a network; the same object as long as something uses it."""
        return register(self.options, MAKERS[self.kind](self.name, self.summary, self.content))
