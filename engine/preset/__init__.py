"""Lessons as data: one TOML or Markdown file each, in `presets/` or in a teacher's folder. No torch."""

from engine.preset.library import FOLDER, list_presets, load_preset, teachers_folder, unreadable
from engine.preset.parser import parse_preset
from engine.preset.plan import Plan, PlanPart, list_plans
from engine.preset.preset import (
    ASK,
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
    SeenAs,
)

__all__ = [
    "ASK",
    "FIGURES",
    "FOLDER",
    "GATES",
    "KINDS",
    "SPEEDS",
    "VERDICTS",
    "Change",
    "Claim",
    "Condition",
    "Plan",
    "PlanPart",
    "Prediction",
    "Preset",
    "PresetError",
    "SeenAs",
    "list_plans",
    "list_presets",
    "load_preset",
    "parse_preset",
    "teachers_folder",
    "unreadable",
]
