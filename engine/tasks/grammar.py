"""Small grammars: sentences are patterns of word classes, so that whatever they can deal can also be counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from engine.tasks.base import NO_SYMBOL
from engine.tasks.sentiment import UNKNOWN
from engine.tasks.tables import table

Classes = Mapping[str, tuple[str, ...]]
"""The words of every class. A pattern names a class by its key; any other word of a pattern stands for itself."""


def vocabulary(patterns: Iterable[str], classes: Classes) -> tuple[str, ...]:
    """The unknown word first, then all others, sorted."""
    words = {each for pattern in patterns for part in pattern.split() for each in classes.get(part, (part,))}
    return (UNKNOWN, *sorted(words - {UNKNOWN}))


@dataclass(frozen=True, eq=False)
class Patterns:
    """Patterns as numbers, shortest first; every word of a class is equally likely.

    Args:
        names: the class of each number; a word that stands for itself is a class of one.
        slots: (longest, patterns) int64, the class at every place, -1 behind the end.
        lengths: (patterns,) int64, words.
        members: (classes + 1, largest class) int64 tokens; the last row is NO_SYMBOL, which is what slot -1 finds.
        sizes: (classes + 1,) int64, words of each class.
    """

    names: tuple[str, ...]
    slots: np.ndarray
    lengths: np.ndarray
    members: np.ndarray
    sizes: np.ndarray

    def fitting(self, seq_len: int) -> int:
        """How many patterns, counted from the first, have at most `seq_len` words."""
        return int(np.searchsorted(self.lengths, seq_len, side="right"))

    def deal(self, rng: np.random.Generator, chosen: np.ndarray, steps: int) -> np.ndarray:
        """(steps, n) tokens: one sentence for each of the chosen patterns (n,), NO_SYMBOL behind its end."""
        slots = self.slots[:steps, chosen]
        return self.members[slots, (rng.random(slots.shape) * self.sizes[slots]).astype(np.int64)]


def read_patterns(texts: Iterable[str], classes: Classes, labels: tuple[str, ...]) -> Patterns:
    """Patterns from their texts, in the vocabulary `labels`."""
    split = sorted((text.split() for text in texts), key=len)
    names = tuple(sorted({name for parts in split for name in parts}))
    number, token = ({each: at for at, each in enumerate(listed)} for listed in (names, labels))
    slots, real = table([[number[name] for name in parts] for parts in split], padding=-1)
    words = [[token[word] for word in classes.get(name, (name,))] for name in names]
    members, _ = table([*words, [NO_SYMBOL]], padding=NO_SYMBOL)
    return Patterns(names, slots, real.sum(0), members.T, np.array([*map(len, words), 1]))
