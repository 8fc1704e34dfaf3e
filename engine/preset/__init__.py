"""Lessons as data: one TOML or Markdown file each, in `presets/` or in a teacher's folder. No torch."""

from engine.preset.library import FOLDER, list_presets, load_preset, teachers_folder, unreadable
from engine.preset.parser import check_table, parse_preset, read_table
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
from engine.preset.saving import FileExistsAlreadyError, may_save, save_lesson
from engine.preset.writer import settings_of, table_of, write_preset, write_table

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
    "FileExistsAlreadyError",
    "Plan",
    "PlanPart",
    "Prediction",
    "Preset",
    "PresetError",
    "SeenAs",
    "check_table",
    "list_plans",
    "list_presets",
    "load_preset",
    "may_save",
    "parse_preset",
    "read_table",
    "save_lesson",
    "settings_of",
    "table_of",
    "teachers_folder",
    "unreadable",
    "write_preset",
    "write_table",
]
