"""What a file of somebody's own became: a Dataset, or a DataError with a sentence. No pandas."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.data.content import Content

if TYPE_CHECKING:
    from engine.tasks import Task

KINDS = ("series", "text", "labelled", "pairs", "tagged", "sequences")
"""The kinds of data: numbers over time, running text, texts with a class each, pairs of texts, words with a tag each,
and many sequences of numbers."""


class DataError(ValueError):
    """Data that cannot be used.

    Args:
        sentence: what is wrong, what was found and what is expected.
        line: where, counted from 1 as an editor does; None if no line is to blame.
        column: the column's name.
    """

    def __init__(self, sentence: str, line: int | None = None, column: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence, self.line, self.column = sentence, line, column

    def __reduce__(self) -> tuple[type[DataError], tuple[str, int | None, str | None]]:
        return type(self), (self.sentence, self.line, self.column)


@dataclass(frozen=True)
class Problem:
    """Something that was found in the data, guessed or left out. Line and column as in a DataError."""

    line: int | None
    column: str | None
    sentence: str


class Notes(list[Problem]):
    """The problems found so far, in the order in which they were found."""

    def say(self, sentence: str, line: int | None = None, column: str | None = None) -> None:
        """Add a problem."""
        self.append(Problem(line, column, sentence))


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
        from engine.data.tasks import to_task

        return to_task(self)
