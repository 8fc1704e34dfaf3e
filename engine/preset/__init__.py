"""Lessons as data: one TOML or Markdown file each, in `presets/` or a teacher's own folder. No torch."""

from engine.preset.reading import parse_preset
from engine.preset.records import (
    FIGURES,
    GATES,
    KINDS,
    SPEEDS,
    VERDICTS,
    Change,
    Claim,
    Condition,
    Prediction,
    Preset,
    PresetError,
)
from engine.preset.shelf import FOLDER, list_presets, load_preset, teachers_folder, unreadable

__all__ = [
    "FIGURES",
    "FOLDER",
    "GATES",
    "KINDS",
    "SPEEDS",
    "VERDICTS",
    "Change",
    "Claim",
    "Condition",
    "Prediction",
    "Preset",
    "PresetError",
    "list_presets",
    "load_preset",
    "parse_preset",
    "teachers_folder",
    "unreadable",
]
