"""Lessons as data: one TOML file per preset in `presets/`. No torch."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from engine.experiment import Experiment, ExperimentError

FOLDER = Path(__file__).resolve().parents[1] / "presets"
SPEEDS: dict[str, float | None] = {"slow": 2.0, "normal": 25.0, "max": None}
"""Updates a second, by the name that a person picks; None is as fast as it goes."""
KINDS = ("lesson", "failure")
"""A lesson has a place in the course; a failure card shows one way of going wrong."""
GATES = ("exact", "trained", "shown")
"""How a claim is held: exact ones by every test run, trained ones by `make claims`, shown ones by nobody."""

TYPES = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", dict: "a table",
         list: "a list"}  # fmt: skip


class PresetError(ValueError):
    """A preset file that cannot be: names the file, the key and what is accepted."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """Something to try next: `says` in a few words, and the settings that it changes."""

    says: str
    settings: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A sentence about a lesson, and the measurement that holds it.

    Args:
        says: the sentence.
        gate: one of GATES.
        measure: a name of `engine.claims.MEASURES`; empty for a claim that is only shown.
        settings: what is changed in the lesson's experiment before it is measured.
        against: further changes that give a second network; the value is then the first's divided by the second's.
        steps: updates made before measuring; None: none for an exact claim, the experiment's own for a trained one.
        above, below: the bounds, one or both; the value lies strictly between. equals: it is exactly this.
        seeds: each is measured by itself, and the claim holds for each.
    """

    says: str
    gate: str
    measure: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    against: dict[str, Any] | None = None
    steps: int | None = None
    above: float | None = None
    below: float | None = None
    equals: float | None = None
    seeds: tuple[int, ...] = (0, 1, 2)

    def holds(self, value: float) -> bool:
        """True where a measured value lies within the bounds; never for one that is not a number."""
        above = self.above is None or value > self.above
        below = self.below is None or value < self.below
        return above and below and (self.equals is None or value == self.equals) and value == value


@dataclass(frozen=True, kw_only=True)
class Preset:
    """One lesson, or one failure card.

    Args:
        slug: the file's name. kind: one of KINDS. order: its place among its kind, from 1 on.
        chapter: the part of the course that it belongs to; consecutive presets of one chapter stand together.
        title, question, look_for: what the page says.
        explains: what is behind it, a few sentences of Markdown, shown beside the playground.
        next: what to change next.
        claims: what is said to happen, and how that is held.
        speed: "slow", "normal" or "max". paused: it opens at step 0 and waits.
        note: what was measured, for the next teacher; not shown.
    """

    slug: str
    order: int
    title: str
    question: str
    look_for: str
    experiment: Experiment
    kind: str = "lesson"
    chapter: str = ""
    explains: str = ""
    next: tuple[Change, ...] = ()
    claims: tuple[Claim, ...] = ()
    speed: str = "normal"
    paused: bool = False
    note: str = ""


PRESET_KEYS: dict[str, type] = {"title": str, "question": str, "look_for": str, "order": int, "experiment": dict,
                                "kind": str, "chapter": str, "explains": str, "speed": str, "paused": bool, "note": str,
                                "next": list, "claims": list}  # fmt: skip
CHANGE_KEYS: dict[str, type] = {"says": str, "settings": dict}
CLAIM_KEYS: dict[str, type] = {"says": str, "gate": str, "measure": str, "settings": dict, "against": dict,
                               "steps": int, "above": float, "below": float, "equals": float,
                               "seeds": list}  # fmt: skip


@cache
def list_presets() -> tuple[Preset, ...]:
    """All lessons in teaching order, then all failure cards in theirs."""
    return tuple(sorted(map(_read, FOLDER.glob("*.toml")), key=lambda preset: (KINDS.index(preset.kind), preset.order)))


def load_preset(slug: str) -> Preset:
    """One lesson by its slug.

    Raises:
        PresetError: naming the slugs that exist.
    """
    for preset in list_presets():
        if preset.slug == slug:
            return preset
    raise PresetError(f"There is no preset {slug!r}; there are {', '.join(each.slug for each in list_presets())}.")


def _read(path: Path) -> Preset:
    return parse_preset(path.stem, path.read_text(encoding="utf-8"))


def parse_preset(slug: str, text: str) -> Preset:
    """A lesson from the text of its file.

    Raises:
        PresetError: for TOML that cannot be read, an unknown, missing or wrong key.
    """
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PresetError(f"{slug}.toml cannot be read: {error}") from error
    required = ("title", "question", "look_for", "order", "experiment")
    table = _checked(f"{slug}.toml", "a preset", read, PRESET_KEYS, required)
    for key, choices in (("speed", tuple(SPEEDS)), ("kind", KINDS)):
        if table.get(key, choices[0]) not in choices:
            raise PresetError(f"{slug}.toml: {key} must be {', '.join(choices)}, but got {table[key]!r}.")
    experiment = _experiment(f"{slug}.toml", Experiment.from_dict, table["experiment"])
    changes = [_change(f"{slug}.toml, next", experiment, each) for each in table.pop("next", [])]
    claims = [_claim(f"{slug}.toml, claims", experiment, each) for each in table.pop("claims", [])]
    return Preset(slug=slug, next=tuple(changes), claims=tuple(claims), **{**table, "experiment": experiment})


def _change(where: str, experiment: Experiment, read: Any) -> Change:
    table = _checked(where, "a change", read, CHANGE_KEYS, ("says", "settings"))
    _experiment(where, lambda settings: experiment.replace(**settings), table["settings"])
    return Change(**table)


def _claim(where: str, experiment: Experiment, read: Any) -> Claim:
    table = _checked(where, "a claim", read, CLAIM_KEYS, ("says", "gate"))
    if table["gate"] not in GATES:
        raise PresetError(f"{where}: gate must be {', '.join(GATES)}, but got {table['gate']!r}.")
    held = [key for key in ("measure", "above", "below", "equals") if key in table]
    if table["gate"] == "shown" and held:
        raise PresetError(f"{where}: a claim that is only shown has no {held[0]}.")
    if table["gate"] != "shown" and ("measure" not in held or len(held) < 2):
        raise PresetError(
            f"{where}: an {table['gate']} claim needs measure, and above, below or equals.".replace("an t", "a t")
        )
    settings = table.get("settings", {})
    for changes in (settings, {**settings, **table.get("against", {})}):
        _experiment(where, lambda changed: experiment.replace(**changed), changes)
    if "seeds" in table:
        table["seeds"] = tuple(table["seeds"])
    return Claim(**table)


def _checked(where: str, what: str, read: Any, known: dict[str, type], required: tuple[str, ...]) -> dict[str, Any]:
    """A table whose keys are known, whose values are of the right type, and that lacks nothing required."""
    if not isinstance(read, dict):
        raise PresetError(f"{where}: {what} must be a table, but got {read!r}.")
    for key, value in read.items():
        if key not in known:
            raise PresetError(f"{where}: {key} is not a key of {what}; those are {', '.join(known)}.")
        if type(value) is not known[key] and not (known[key] is float and type(value) is int):
            raise PresetError(f"{where}: {key} must be {TYPES[known[key]]}, but got {value!r}.")
    for key in required:
        if key not in read:
            raise PresetError(f"{where}: {key} is missing.")
    return dict(read)


def _experiment(where: str, make: Callable[[dict[str, Any]], Experiment], settings: dict[str, Any]) -> Experiment:
    try:
        return make(settings)
    except ExperimentError as error:
        raise PresetError(f"{where}: {error}") from error
