"""Texts as sequences of symbols: characters or words."""

from __future__ import annotations

import html
import re
import statistics
from collections.abc import Sequence

import numpy as np

from engine.data.limits import MAX_SEQUENCES
from engine.data.problems import Notes
from engine.data.tasks.words import WORD
from engine.number_format import count, verb

CHARACTERS, WORDS = "characters", "words"

TAG = re.compile(r"<!--[^<]*-->|</?[a-zA-Z][a-zA-Z0-9]*(?:\s[^<>]*)?/?>")
ENTITY = re.compile(r"&(?:#\d{1,6}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});")
NOT_A_CHARACTER = re.compile("[\ud800-\udfff]")
"""Half of a pair of UTF-16, which JSON can hold and no text: it could be written nowhere."""
LOOKED_AT = 5_000  # texts by which the unit is guessed
MAX_SHOWN = 20  # characters of a mark that a sentence quotes


def readable(text: object) -> str:
    """A cell as a text that can be written again."""
    return NOT_A_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", str(text))


def mark_of(text: str) -> str:
    """The first mark of HTML in a text, a tag rather than an entity; "" if there is none."""
    mark = (TAG.search(text) or ENTITY.search(text)) if "<" in text or "&" in text else None
    return mark[0] if mark else ""


def without_marks(text: str) -> str:
    """A text without the marks of HTML, each run of white space as one space."""
    return " ".join((html.unescape(TAG.sub(" ", text)) if mark_of(text) else text).split())


def clean(texts: Sequence[object], lines: np.ndarray, notes: Notes, column: str | None) -> list[str]:
    """Texts without the marks of HTML, each run of white space as one space. Says how many had such marks.

    Args:
        lines: (n,) the line of each text in the file.
        column: the name of the column they come from.
    """
    cleaned, marked, first, example = [], 0, 0, ""
    for row, cell in enumerate(texts):
        text = readable(cell)
        if mark := mark_of(text):
            marked, first, example = marked + 1, first if marked else row, example or mark[:MAX_SHOWN]
        cleaned.append(without_marks(text))
    if marked:
        notes.say(
            f"{count(marked, 'text')}, first in line {lines[first]}, {verb(marked, 'holds', 'hold')} HTML such as "
            f"{example}; the marks are left out.",
            int(lines[first]),
            column,
        )
    return cleaned


def usual_unit(texts: Sequence[str]) -> str:
    """Characters where most texts are a single word, words otherwise."""
    return CHARACTERS if statistics.median(len(text.split()) for text in texts[:LOOKED_AT]) <= 1.5 else WORDS


def split_text(text: str, unit: str) -> list[str]:
    """The symbols of a text. Words are in lower case, and signs of punctuation are words of their own."""
    return list(text) if unit == CHARACTERS else WORD.findall(text.lower())


def say_lower_case(texts: Sequence[str], notes: Notes, column: str | None = None) -> None:
    """Say that capitals are not told apart, if there are any."""
    if any(text != text.lower() for text in texts):
        notes.say("Capitals are read as small letters.", None, column)


def spread(count: int, notes: Notes, what: str) -> np.ndarray:
    """The numbers of at most MAX_SEQUENCES of `count` sequences, evenly spread over the file."""
    if count <= MAX_SEQUENCES:
        return np.arange(count)
    notes.say(f"There are {count:,} {what}; {MAX_SEQUENCES:,} of them, evenly spread over the file, are read.")
    return np.linspace(0, count - 1, MAX_SEQUENCES).astype(np.int64)


def lengths_of(sequences: Sequence[Sequence[object] | np.ndarray]) -> tuple[int, int, int]:
    """Shortest, median and longest, in symbols."""
    lengths = [len(each) for each in sequences]
    return min(lengths), int(statistics.median(lengths)), max(lengths)
