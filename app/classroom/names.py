"""What students type as their names. It is foreign text: whoever draws it escapes it."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection

from app.classroom import text
from app.classroom.limits import MAX_NAME
from app.past_runs import numbered

JOINERS = "\u200c\u200d"
"""Characters without a width that words and emoji need. Others, as those that turn the direction, are left out."""
MAX_MARKS = 2
"""Marks above or below one letter; more of them would cover the lines around."""


def one_line(raw: str, most: int) -> str:
    """Foreign text as one line without control characters, of at most so many characters."""
    kept: list[str] = []
    marks = 0
    for letter in unicodedata.normalize("NFC", raw[: 20 * most]):
        category = unicodedata.category(letter)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if category.startswith("Z") or letter in "\t\n\r":
            kept.append(" ")
        elif (category[0] != "C" or letter in JOINERS) and marks <= MAX_MARKS:
            kept.append(letter)
    return " ".join("".join(kept).split())[:most].strip(" " + JOINERS)


def name_of(raw: str, number: int, taken: Collection[str]) -> str:
    """The name that a student gets.

    Args:
        raw: as typed; without any letter the student is called by `number`.
        taken: names of the others in the class.
    """
    return numbered(one_line(raw, MAX_NAME) or text.NAMELESS.format(number=number), taken)
