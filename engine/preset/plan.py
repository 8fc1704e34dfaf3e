"""Plans for teachers: which lessons to show in which minutes of a class, what to ask, and what is then seen."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from engine.preset.library import FOLDER
from engine.preset.parser import checked
from engine.preset.preset import PresetError

PLANS = FOLDER / "plans"
PLAN_KEYS: dict[str, type] = {"title": str, "says": str, "parts": list}
PART_KEYS: dict[str, type] = {"minutes": int, "link": str, "asks": str, "sees": str}


@dataclass(frozen=True, kw_only=True)
class PlanPart:
    """Some minutes of a class.

    Args:
        minutes: how long it takes.
        link: the address that the class looks at, from the first / on, as the button Share gives it.
        asks: what to ask the class before anybody presses anything.
        sees: what the class should then see.
    """

    minutes: int
    link: str
    asks: str
    sees: str

    @property
    def query(self) -> dict[str, str]:
        """The link's settings by name."""
        return dict(parse_qsl(self.link.removeprefix("/?")))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A whole class: its title, whom it is for (`says`), and its parts in order."""

    title: str
    says: str
    parts: tuple[PlanPart, ...]

    @property
    def minutes(self) -> int:
        """How long the class takes."""
        return sum(part.minutes for part in self.parts)

    @property
    def starts(self) -> tuple[int, ...]:
        """The minute at which each part begins."""
        return tuple(sum(part.minutes for part in self.parts[:number]) for number in range(len(self.parts)))


@cache
def list_plans() -> tuple[Plan, ...]:
    """All plans in `presets/plans/`, by the names of their files."""
    return tuple(parse_plan(path.name, path.read_text(encoding="utf-8")) for path in sorted(PLANS.glob("*.toml")))


def parse_plan(file: str, text: str) -> Plan:
    """Parse a plan. Whether its links open is for the page to say, which reads links.

    Raises:
        PresetError: for a syntax error, or an unknown, missing or wrong key.
    """
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PresetError(f"{file} cannot be read: {error}") from error
    table = checked(file, "a plan", read, PLAN_KEYS, tuple(PLAN_KEYS))
    parts = tuple(_part(f"{file}, part {number}", part) for number, part in enumerate(table["parts"], 1))
    if not parts:
        raise PresetError(f"{file}: parts must have at least one part.")
    return Plan(title=table["title"], says=table["says"], parts=parts)


def _part(where: str, read: Any) -> PlanPart:
    part = PlanPart(**checked(where, "a part", read, PART_KEYS, tuple(PART_KEYS)))
    if part.minutes < 1:
        raise PresetError(f"{where}: minutes must be 1 or more, but got {part.minutes}.")
    if not part.link.startswith("/?") or "preset" not in part.query:
        raise PresetError(
            f"{where}: link must begin with /? and name a lesson, as /?preset=wave, but got {part.link!r}."
        )
    return part
