"""What is said of an invalid setting, and how what it accepts is written."""

from __future__ import annotations

import json
from typing import Any


class ExperimentError(ValueError):
    """An invalid setting: names the field, its value and what is accepted."""

    def __init__(self, field: str, *, got: object, accepts: str) -> None:
        self.field, self.got, self.accepts = field, got, accepts
        super().__init__(f"{field} must be {accepts}, but got {got!r}.")


def one_of(names: tuple[Any, ...] | list[str]) -> str:
    """The names with commas, and "or" before the last."""
    words = [str(name) for name in names]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def unknown(known: list[str]) -> str:
    """What is accepted in the place of a setting that there is not."""
    return f"left out, for the settings are {one_of(known)}"


def is_table(value: object) -> bool:
    """True for a dict that JSON can write, as links, lessons and recordings do."""
    try:
        return isinstance(value, dict) and bool(json.dumps(value, sort_keys=True))
    except (TypeError, ValueError):
        return False
