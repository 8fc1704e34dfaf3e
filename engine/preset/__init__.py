"""Lessons as data: one TOML or Markdown file each, in `presets/` or in a teacher's folder. No torch."""

from engine.preset.library import FOLDER, list_presets, load_preset, teachers_folder, unreadable
from engine.preset.parser import parse_preset
from engine.preset.preset import (
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
