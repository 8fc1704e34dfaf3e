"""The symbols that a network knows: those of the trained part that come again there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.data.kinds.tokens import CHARACTERS
from engine.data.limits import MAX_SYMBOLS
from engine.data.problems import DataError, Notes
from engine.tasks.unknown_words import UNKNOWN, UNKNOWN_CHARACTER, UNKNOWN_TOKEN


@dataclass(frozen=True, eq=False)
class Numbered:
    """Sequences whose every symbol is a number, which takes a tenth of the memory of the symbols themselves.

    Args:
        sequences: an int32 array each, places in `symbols`.
        symbols: all different ones, in the order in which they first come.
    """

    sequences: list[np.ndarray]
    symbols: list[str]

    @classmethod
    def of(cls, sequences: Iterable[Sequence[str]]) -> Numbered:
        """Number symbols; a generator of sequences is never held as a whole."""
        numbers: dict[str, int] = {}
        rows = [np.array([numbers.setdefault(symbol, len(numbers)) for symbol in each], np.int32) for each in sequences]
        return cls(rows, list(numbers))

    def keep(self, rows: Sequence[int] | np.ndarray) -> Numbered:
        """Some of these sequences."""
        return Numbered([self.sequences[row] for row in rows], self.symbols)

    def written(self) -> list[str]:
        """Every sequence as a text, its symbols parted by spaces: equal ones are equal sequences."""
        return [" ".join(map(self.symbols.__getitem__, each.tolist())) for each in self.sequences]


def vocabulary_of(
    numbered: Numbered, held: np.ndarray, unit: str, notes: Notes, where: str = ""
) -> tuple[tuple[str, ...], tuple[np.ndarray, ...]]:
    """UNKNOWN or UNKNOWN_CHARACTER, then the most common symbols of the trained sequences, sorted.

    Symbols that occur only once there are not among them: the network would read each in one sequence alone, and what
    stands for the unknown would never be trained.

    Args:
        held: (n,) bool, which sequences are held out.
        where: which texts, as a sentence adds it: "of the targets ".

    Returns:
        The vocabulary, and the sequences as numbers of it, int32; UNKNOWN_TOKEN for the other symbols.

    Raises:
        DataError: if no symbol occurs twice.
    """
    trained = [numbered.sequences[row] for row in np.flatnonzero(~held)]
    counts = np.bincount(np.concatenate([np.zeros(0, np.int32), *trained]), minlength=len(numbered.symbols))
    vocabulary, number = known_symbols(numbered.symbols, counts, unit, notes, where)
    return vocabulary, tuple(number[each] for each in numbered.sequences)


def known_symbols(
    symbols: Sequence[str], counts: np.ndarray, unit: str, notes: Notes, where: str = ""
) -> tuple[tuple[str, ...], np.ndarray]:
    """The vocabulary, as `vocabulary_of`, and (symbols,) int32: the number in it of each of these symbols.

    Args:
        counts: (symbols,) how often each occurs in the trained part.
    """
    unknown = UNKNOWN_CHARACTER if unit == CHARACTERS else UNKNOWN
    counts = np.where([symbol == unknown for symbol in symbols], 0, counts)
    common = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts > 1)]
    known = sorted((symbols[place], int(place)) for place in common[:MAX_SYMBOLS])
    if not known:
        raise DataError(f"None of the {unit} {where}occurs twice in the trained part, so that nothing can be learned.")
    if (beyond := len(common) - len(known)) > 0:
        notes.say(
            f"{beyond:,} {unit} {where}are beyond the {MAX_SYMBOLS:,} most common; they are read as one symbol "
            "'unknown'."
        )
    if once := int((counts == 1).sum()):
        notes.say(
            f"{once:,} of {np.count_nonzero(counts):,} different {unit} {where}occur only once in the trained part; "
            f"they are read as one symbol 'unknown', so that the network learns what to do with {unit} that it has "
            "never seen."
        )
    number = np.full(len(symbols), UNKNOWN_TOKEN, np.int32)
    number[[place for _, place in known]] = np.arange(1, len(known) + 1)
    return (unknown, *(symbol for symbol, _ in known)), number


def unknown_share(sequences: Sequence[np.ndarray]) -> float:
    """The share of UNKNOWN_TOKEN among the symbols of these sequences; 0 if there are none."""
    flat = np.concatenate([np.zeros(0, np.int32), *sequences])
    return float((flat == UNKNOWN_TOKEN).mean()) if len(flat) else 0.0
