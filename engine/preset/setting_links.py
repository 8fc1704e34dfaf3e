"""Markdown links that change settings: `[open the gate](set:forget_bias=3, cell=lstm)`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from engine.experiment import CHOICES, RANGES

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
        changes[name] = value(name, raw)
    return changes


def written(changes: dict[str, Any]) -> str:
    """The inverse of `settings`: `name=value, name=value`."""
    return ", ".join(f"{name}={written_value(each)}" for name, each in changes.items())


def written_value(value: Any) -> str:
    """The inverse of `value`."""
    return next((word for word, meant in WORDS.items() if value is meant), None) or str(value)


def value(name: str, raw: str) -> Any:
    """The value of a setting as somebody has written it, unchecked: what is no number is a word."""
    if raw in CHOICES.get(name, ()):  # of these, "none" may be one
        return raw
    if raw in WORDS:
        return WORDS[raw]
    limits = RANGES.get(name)
    for kind in (int, float):
        try:
            return float(kind(raw)) if limits is not None and not limits.whole else kind(raw)
        except (ValueError, OverflowError):
            continue
    return raw
