"""What is wrong with data, in sentences that name the place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from engine.number_format import count, verb

MOST_NAMED, LONGEST_NAME = 6, 40  # names in a sentence, and characters of one


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
    """Something that was found in the data, guessed or left out.

    Args:
        line, column: as in a DataError.
        harmless: it changes no number and no symbol that a network reads.
    """

    line: int | None
    column: str | None
    sentence: str
    harmless: bool = False


def a(noun: str) -> str:
    """A unit of time in a sentence: "a day", "an hour"."""
    return f"{'an' if noun == 'hour' else 'a'} {noun}"


def left_out(number: int, what: str) -> str:
    """The end of a sentence about the first of several: "2 such rows are left out"."""
    return f"{count(number, f'such {what}')} {verb(number, 'is', 'are')} left out"


def shortened(words: str, most: int) -> str:
    """Words of at most so many characters; what is cut ends with an ellipsis."""
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


def named(names: Iterable[object]) -> str:
    """Names as a sentence lists them: the first few, and how many more there are."""
    every = [str(name) for name in names]
    shown = [shortened(name, LONGEST_NAME) for name in every[:MOST_NAMED]]
    more = len(every) - len(shown)
    return ", ".join(f"'{name}'" for name in shown) + (f" and {more:,} more" if more else "")


def names_line(sentence: str, line: int) -> bool:
    """Whether a sentence says this very line: "line 12" is not line 1."""
    return re.search(rf"\bline {line}(?!\d|,\d)", sentence, re.IGNORECASE) is not None


class Notes(list[Problem]):
    """The problems found so far, in the order in which they were found."""

    def say(self, sentence: str, line: int | None = None, column: str | None = None, *, harmless: bool = False) -> None:
        """Add a problem."""
        self.append(Problem(line, column, sentence, harmless))

    def in_order(self) -> tuple[Problem, ...]:
        """First those that change what a network reads; each once, otherwise as they were found."""
        return tuple(sorted(dict.fromkeys(self), key=lambda problem: problem.harmless))
