"""Own data in a link: which file it needs, and how it was understood. The link never carries the data.

    task=own_data & data=<fingerprint> & data.name=airline.csv & data.kind=series & data.window=24

Values are written as text where that reads back as the same text, else as JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DATA, NAME = "data", "data.name"
MAX_NAME, MAX_VALUE = 120, 2_000  # characters
FINGERPRINT = re.compile(r"[0-9a-f]{64}")
SHORT = 8  # digits of a fingerprint that a person is shown


@dataclass(frozen=True)
class NeededData:
    """The own data that a link names.

    Args:
        fingerprint: of the file; "" if the link's is none.
        name: of the file, for the person who is asked for it.
        options: the `task_options` of the link's experiment.
    """

    fingerprint: str
    name: str
    options: dict[str, Any]

    @property
    def kind(self) -> str | None:
        """The kind of the data."""
        return self.options.get("kind")

    @property
    def choices(self) -> dict[str, Any]:
        """What was chosen instead of a guess."""
        return {name: value for name, value in self.options.items() if name not in ("data", "kind")}


def to_link(options: Mapping[str, Any], name: str) -> dict[str, str]:
    """The part of a link that names the data of these `task_options`."""
    others = {f"{DATA}.{choice}": _format(value) for choice, value in options.items() if choice != "data"}
    return {DATA: str(options.get("data", "")), NAME: name[:MAX_NAME]} | others


def split(link: Mapping[str, str]) -> tuple[dict[str, str], NeededData | None]:
    """The other settings of a link, and the own data that it names, if any."""
    others = {name: value for name, value in link.items() if name != DATA and not name.startswith(f"{DATA}.")}
    if DATA not in link:
        return others, None
    fingerprint = link[DATA] if FINGERPRINT.fullmatch(link[DATA]) else ""
    choices = {
        name.removeprefix(f"{DATA}."): _parse(value) for name, value in link.items() if name.startswith(f"{DATA}.")
    }
    name = str(choices.pop("name", ""))[:MAX_NAME]
    return others, NeededData(fingerprint, name, {"data": fingerprint, **choices})


def _format(value: Any) -> str:
    if isinstance(value, str) and _parse(value) == value:
        return value
    return json.dumps(value)


def _parse(raw: str) -> Any:
    try:
        return json.loads(raw) if len(raw) <= MAX_VALUE else raw[:MAX_VALUE]
    except (ValueError, RecursionError):
        return raw
