"""The numbers and symbols of a Dataset, one type a kind. Arrays throughout, so that they travel fast between processes.

Symbols are numbers of a vocabulary, whose first entry stands for what training has never seen (UNKNOWN of words,
UNKNOWN_CHARACTER of characters, as in `engine.tasks.unknown_words`). Lines are those of the file, counted
from 1; 0 for what is in no line. `held` says which sequences are held out of training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class OneSeries:
    """Numbers over time, in order.

    Args:
        name: of the series among several; "" if there is one.
        values: (n, channels) float64, the target first; NaN where missing.
        times: (n,) datetime64[s], or None where the rows have no time.
        lines: (n,) int64.
        cut: the first row of the held-out part.
    """

    name: str
    values: np.ndarray
    times: np.ndarray | None
    lines: np.ndarray
    cut: int


@dataclass(frozen=True, eq=False)
class SeriesContent:
    """One or several series. What the answers are: the value, or its difference from the last known one.

    Args:
        channels: names, the target first.
        step: the usual time step, as in the summary. period: steps of a season, or None.
        window: steps that a network reads. horizon: steps ahead that are asked.
        transform: "none", "log", "differences" or "log differences".
        gaps: the time since the row before is one more input, since the steps are uneven.
    """

    series: tuple[OneSeries, ...]
    channels: tuple[str, ...]
    step: str
    period: int | None
    window: int
    horizon: int
    transform: str
    gaps: bool


@dataclass(frozen=True, eq=False)
class TextContent:
    """A running text. tokens: (n,) int32. cut: the first held-out token. lines: (n,) int32, the line of each token."""

    tokens: np.ndarray
    lines: np.ndarray
    cut: int
    vocabulary: tuple[str, ...]
    unit: str


@dataclass(frozen=True, eq=False)
class LabelledContent:
    """Texts with a class each. tokens: an int32 array a text. labels: (n,) int64, numbers of `classes`."""

    tokens: tuple[np.ndarray, ...]
    labels: np.ndarray
    classes: tuple[str, ...]
    held: np.ndarray
    lines: np.ndarray
    vocabulary: tuple[str, ...]
    unit: str


@dataclass(frozen=True, eq=False)
class PairsContent:
    """Sources and the targets that answer them, an int32 array each.

    copies: (n,) bool, where the target is the source, symbol for symbol, unknown ones included.
    """

    sources: tuple[np.ndarray, ...]
    targets: tuple[np.ndarray, ...]
    held: np.ndarray
    lines: np.ndarray
    source_vocabulary: tuple[str, ...]
    target_vocabulary: tuple[str, ...]
    source_unit: str
    target_unit: str
    copies: np.ndarray


@dataclass(frozen=True, eq=False)
class TaggedContent:
    """Sentences whose every word has a tag. words, tags: an int32 array a sentence; tags are numbers of `classes`.

    usual: likewise, the tag that each word mostly has in the trained part. The words alone do not say it: of those
    that occur there once, which are unknown to a network, it is known as well.
    skipped: (k,) int64, lines between the first and the last word of a sentence that are none of its words; None where
    not every word has a line of its own.
    """

    words: tuple[np.ndarray, ...]
    tags: tuple[np.ndarray, ...]
    classes: tuple[str, ...]
    held: np.ndarray
    lines: np.ndarray
    vocabulary: tuple[str, ...]
    usual: tuple[np.ndarray, ...]
    skipped: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class SequencesContent:
    """Many sequences of numbers, perhaps with a class each.

    Args:
        arrays: (steps, channels) float32 a sequence, thinned already, in the data's own units; NaN where missing.
        labels: (n,) int64, numbers of `classes`; None if the question is the next step.
        mean, sd: (channels,) of the trained part.
        thinned: how many neighbouring steps were averaged into one; 1 for none.
    """

    arrays: tuple[np.ndarray, ...]
    labels: np.ndarray | None
    classes: tuple[str, ...]
    channels: tuple[str, ...]
    held: np.ndarray
    lines: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    thinned: int


Content = SeriesContent | TextContent | LabelledContent | PairsContent | TaggedContent | SequencesContent
