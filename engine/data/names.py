"""Names that columns usually have, and so what they are for."""

from __future__ import annotations

import re
from collections.abc import Sequence


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


TARGET_NAMES = _words(
    "target y value values close sales passengers demand load pm2.5 price count ot temperature temp consumption "
    "production volume"
)
"""What is to be predicted of a series."""
LABEL_NAMES = _words(
    "label sentiment class category target intent polarity rating stars score spam emotion topic genre language gender "
    "y v1 is_spam toxic type tag"
)
TEXT_NAMES = _words(
    "text review message tweet comment sentence body content document utterance query title headline phrase v2 "
    "description reviewtext name"
)
ID_NAMES = _words(
    "id unique_id item_id series series_id item store shop sensor station country entity ticker symbol user patient "
    "subject unit machine region group name location city state key"
)
"""Which of several series a row belongs to."""
GROUP_NAMES = _words("subject user patient speaker group person participant unit session")
"""Whose sequence or text a row is: kept whole when rows are held out."""
SPLIT_NAMES = _words("split set partition subset fold")
SPLIT_VALUES = _words("train training test testing val valid validation dev eval")
PAIR_NAMES = _words(
    "source target src tgt english french german spanish input output question answer en fr de es it nl ru from to "
    "instruction prompt completion response"
)
"""The two sides of pairs."""
TIME_NAMES = _words("date time timestamp ds year month day hour minute second")
OTHER_NAMES = _words("index no word pos ner tokens tags")

KNOWN_NAMES = frozenset((*TARGET_NAMES, *LABEL_NAMES, *TEXT_NAMES, *ID_NAMES, *PAIR_NAMES, *TIME_NAMES, *OTHER_NAMES))
"""Words that make a line a header."""

PART_OF_NAME = 100
"""Added to the rank of a name that only has a known name in it."""
UNKNOWN_NAME = 999


def rank(name: str, names: Sequence[str]) -> int:
    """The place of a column's name in a list of usual ones, the best 0; UNKNOWN_NAME if it is not there.

    "airline_sentiment" has "sentiment" in it, and ranks PART_OF_NAME behind it.
    """
    known = list(names)
    lower = name.lower().strip()
    if lower in known:
        return known.index(lower)
    parts = [known.index(part) for part in re.split(r"[^a-z0-9.]+", lower) if part in known]
    return PART_OF_NAME + min(parts) if parts else UNKNOWN_NAME
