"""Links in a lesson's prose that set figures: `[open the gate](set:forget_bias=3, cell=lstm)`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from engine.experiment import RANGES

LINK = re.compile(r"\[((?:[^\[\]\n]|\n(?!\s*\n))+)\]\(set:([^()\n]*)\)")  # its words may wrap
WORDS: dict[str, Any] = {"none": None, "true": True, "false": False}


def links(prose: str) -> list[tuple[str, dict[str, Any]]]:
    """Every such link in order: its words, and the settings that it changes.

    Raises:
        ValueError: saying what in a link is no setting.
    """
    return [(says, settings(said)) for says, said in LINK.findall(prose)]


def led(prose: str, address: Callable[[dict[str, Any]], str]) -> str:
    """The same prose, each such link leading to the address of its settings."""
    return LINK.sub(lambda found: f"[{found[1]}]({address(settings(found[2]))})", prose)


def settings(said: str) -> dict[str, Any]:
    """From `name=value, name=value`; a value is a number, true, false, none or a word.

    Raises:
        ValueError: for a part that is no assignment, or a name that comes twice.
    """
    found: dict[str, Any] = {}
    for part in said.split(","):
        name, equals, raw = (each.strip() for each in part.partition("="))
        if not name or not equals or not raw:
            raise ValueError(f"expected name=value, but got {part.strip()!r}")
        if name in found:
            raise ValueError(f"{name} is set twice")
        value = _value(raw)
        limits = RANGES.get(name)
        found[name] = float(value) if type(value) is int and limits is not None and not limits.whole else value
    return found


def _value(raw: str) -> Any:
    if raw in WORDS:
        return WORDS[raw]
    for kind in (int, float):
        try:
            return kind(raw)
        except ValueError:
            continue
    return raw
