"""Markdown links that change settings: `[open the gate](set:forget_bias=3, cell=lstm)`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from engine.experiment import RANGES

LINK = re.compile(r"\[((?:[^\[\]\n]|\n(?!\s*\n))+)\]\(set:([^()\n]*)\)")  # the link text may wrap
WORDS: dict[str, Any] = {"none": None, "true": True, "false": False}


def links(prose: str) -> list[tuple[str, dict[str, Any]]]:
    """All such links in order: link text, and the settings that it changes.

    Raises:
        ValueError: for a link whose settings cannot be parsed.
    """
    return [(says, settings(assignments)) for says, assignments in LINK.findall(prose)]


def with_addresses(prose: str, address: Callable[[dict[str, Any]], str]) -> str:
    """The same Markdown with each such link pointing to the address of its settings."""
    return LINK.sub(lambda link: f"[{link[1]}]({address(settings(link[2]))})", prose)


def settings(assignments: str) -> dict[str, Any]:
    """Parse `name=value, name=value`; a value is a number, true, false, none or a word.

    Raises:
        ValueError: for a part that is no assignment, or a name that comes twice.
    """
    changes: dict[str, Any] = {}
    for part in assignments.split(","):
        name, equals, raw = (each.strip() for each in part.partition("="))
        if not name or not equals or not raw:
            raise ValueError(f"expected name=value, but got {part.strip()!r}")
        if name in changes:
            raise ValueError(f"{name} is set twice")
        value = _value(raw)
        limits = RANGES.get(name)
        changes[name] = float(value) if type(value) is int and limits is not None and not limits.whole else value
    return changes


def _value(raw: str) -> Any:
    if raw in WORDS:
        return WORDS[raw]
    for kind in (int, float):
        try:
            return kind(raw)
        except ValueError:
            continue
    return raw
