"""Small grammars: sentences are patterns of word classes, so that all possible sentences can be enumerated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from engine.tasks.base import NO_SYMBOL
from engine.tasks.tables import table
from engine.tasks.unknown_words import UNKNOWN

Classes = Mapping[str, tuple[str, ...]]
"""Class name to its words. In a pattern, a class name stands for any of its words, any other word for itself."""


def vocabulary(patterns: Iterable[str], classes: Classes) -> tuple[str, ...]:
    """The unknown word first, then all others, sorted."""
    words = {each for pattern in patterns for part in pattern.split() for each in classes.get(part, (part,))}
    return (UNKNOWN, *sorted(words - {UNKNOWN}))


@dataclass(frozen=True, eq=False)
class Patterns:
    """Patterns as arrays, shortest first; every word of a class is equally likely.

    Args:
        names: the name of each class; a word that stands for itself is a class of one word.
        slots: (longest, patterns) int64, the class at every place, -1 after the end.
        lengths: (patterns,) int64, number of words.
        members: (classes + 1, largest class) int64 tokens; the last row, which slot -1 selects, is NO_SYMBOL.
        sizes: (classes + 1,) int64, number of words of each class.
    """

    names: tuple[str, ...]
    slots: np.ndarray
    lengths: np.ndarray
    members: np.ndarray
    sizes: np.ndarray

    def fitting(self, seq_len: int) -> int:
        """Number of patterns with at most `seq_len` words; they come first."""
        return int(np.searchsorted(self.lengths, seq_len, side="right"))

    def draw_sentences(self, rng: np.random.Generator, chosen: np.ndarray, steps: int) -> np.ndarray:
        """Draw one sentence for each of the chosen patterns (n,): (steps, n) tokens, NO_SYMBOL after the end."""
        slots = self.slots[:steps, chosen]
        return self.members[slots, (rng.random(slots.shape) * self.sizes[slots]).astype(np.int64)]


def read_patterns(texts: Iterable[str], classes: Classes, labels: tuple[str, ...]) -> Patterns:
    """Parse patterns; `labels` is the vocabulary."""
    split = sorted((text.split() for text in texts), key=len)
    names = tuple(sorted({name for parts in split for name in parts}))
    number, token = ({each: at for at, each in enumerate(listed)} for listed in (names, labels))
    slots, real = table([[number[name] for name in parts] for parts in split], padding=-1)
    words = [[token[word] for word in classes.get(name, (name,))] for name in names]
    members, _ = table([*words, [NO_SYMBOL]], padding=NO_SYMBOL)
    return Patterns(names, slots, real.sum(0), members.T, np.array([*map(len, words), 1]))
