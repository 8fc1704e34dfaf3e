"""Lessons as data: one TOML file per preset in `presets/`. No torch."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from engine.experiment import Experiment, ExperimentError

FOLDER = Path(__file__).resolve().parents[1] / "presets"
SPEEDS: dict[str, float | None] = {"slow": 2.0, "normal": 25.0, "max": None}
"""Updates a second, by the name that a person picks; None is as fast as it goes."""

KINDS = {str: "a text", int: "a whole number", bool: "true or false", dict: "a table"}
TEXTS = ("title", "question", "look_for")


class PresetError(ValueError):
    """A preset file that cannot be: names the file, the key and what is accepted."""


@dataclass(frozen=True, kw_only=True)
class Preset:
    """One lesson.

    Args:
        slug: the file's name. order: its place in the course, from 1 on.
        title, question, look_for: what the page says.
        speed: "slow", "normal" or "max". paused: it opens at step 0 and waits.
        note: what was measured, for the next teacher; not shown.
    """

    slug: str
    order: int
    title: str
    question: str
    look_for: str
    experiment: Experiment
    speed: str = "normal"
    paused: bool = False
    note: str = ""


@cache
def list_presets() -> tuple[Preset, ...]:
    """All lessons in teaching order."""
    return tuple(sorted((_read(path) for path in FOLDER.glob("*.toml")), key=lambda preset: preset.order))


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
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PresetError(f"{slug}.toml cannot be read: {error}") from error
    known: dict[str, type] = {**dict.fromkeys(TEXTS, str), "order": int, "speed": str, "paused": bool, "note": str,
                              "experiment": dict}  # fmt: skip
    for key, value in table.items():
        if key not in known:
            raise PresetError(f"{slug}.toml: {key} is not a key of a preset; those are {', '.join(known)}.")
        if type(value) is not known[key]:
            raise PresetError(f"{slug}.toml: {key} must be {KINDS[known[key]]}, but got {value!r}.")
    for key in (*TEXTS, "order", "experiment"):
        if key not in table:
            raise PresetError(f"{slug}.toml: {key} is missing.")
    if table.get("speed", "normal") not in SPEEDS:
        raise PresetError(f"{slug}.toml: speed must be {', '.join(SPEEDS)}, but got {table['speed']!r}.")
    return Preset(slug=slug, **{**table, "experiment": _experiment(slug, table["experiment"])})


def _experiment(slug: str, settings: dict[str, Any]) -> Experiment:
    try:
        return Experiment.from_dict(settings)
    except ExperimentError as error:
        raise PresetError(f"{slug}.toml: {error}") from error
