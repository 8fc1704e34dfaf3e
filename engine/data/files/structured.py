"""What a structured file holds where it is no table. Lines are those of the file, or of JSON the rows, from 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.data.layout import Layout


@dataclass(frozen=True, eq=False)
class Arrays:
    """Sequences of numbers.

    Args:
        arrays: (steps, channels) float64 a sequence; NaN where missing.
        labels: the class of each, None where it is missing; None if there are no classes.
        lines: (n,) int64.
        label: the name of what holds the classes, or None.
        held: (n,) bool where the file itself says which are for testing; else None.
    """

    arrays: list[np.ndarray]
    labels: list[str | None] | None
    lines: np.ndarray
    label: str | None = None
    held: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Sentences:
    """Sentences of (line, word, tag).

    Args:
        column: what holds the tags.
        documents: the number of each sentence's document, or None.
        layout: where the words stand, if each has a line of its own.
    """

    sentences: list[list[tuple[int, str, str]]]
    column: str
    documents: list[int] | None = None
    layout: Layout | None = None


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts with a class each. names: of the texts and of the classes."""

    texts: list[str]
    labels: list[str]
    lines: np.ndarray
    names: tuple[str, str]


@dataclass(frozen=True, eq=False)
class RunningText:
    """A text, or lines of words."""

    text: str
