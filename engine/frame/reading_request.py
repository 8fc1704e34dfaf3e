"""Requests for the readings that a frame has only on demand, as short strings such as "terms:1:0". No torch."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Self

from engine.frame.readings import ON_DEMAND_READINGS

READING_ARGUMENTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(ON_DEMAND_READINGS, ()),
    "terms": ("layer", "direction"),
    "followed": ("step",),
}
"""For each reading, which is a field of Frame, the whole numbers that its request has. The reading has fields of these
names, which say what it answers."""

NUMBER = re.compile("0|[1-9][0-9]{0,8}")
"""No leading zeros, so that a request can be written in one way only."""


@dataclass(frozen=True)
class ReadingRequest:
    """A request for one reading: its name, and its arguments in the order of READING_ARGUMENTS."""

    name: str
    arguments: tuple[int, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read a string like "terms:1:0", as `str` writes it; None if there is no such reading."""
        name, *written = text.split(":")
        known = name in READING_ARGUMENTS and len(written) == len(READING_ARGUMENTS[name])
        if not (known and all(map(NUMBER.fullmatch, written))):
            return None
        return cls(name, tuple(map(int, written)))

    @classmethod
    def answered_by(cls, name: str, reading: Any) -> Self:
        """The request that a reading answers."""
        return cls(name, tuple(getattr(reading, argument) for argument in READING_ARGUMENTS[name]))

    def __str__(self) -> str:
        return ":".join([self.name, *map(str, self.arguments)])


def newest_requests(older: Collection[str], newer: Collection[str]) -> frozenset[str]:
    """All of `newer`, and those of `older` that ask for other readings: a frame has each reading only once."""
    names = {text.partition(":")[0] for text in newer}
    return frozenset(newer) | {text for text in older if text.partition(":")[0] not in names}
