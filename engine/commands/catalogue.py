"""`tasks` and `presets`: what there is to train."""

from __future__ import annotations

import argparse
from typing import Any

from engine.commands.command import add_command
from engine.preset import list_presets
from engine.tasks import TASKS


def add(commands: Any) -> None:
    """Add the commands."""
    add_command(commands, "tasks", _tasks, does="list the tasks", example="tasks")
    add_command(commands, "presets", _presets, does="list the lessons", example="presets")


def _tasks(_: argparse.Namespace) -> None:
    for slug, task in TASKS.items():
        print(f"{slug:22} {', '.join(task.rnn_types)}\n    {task.teaches}")


def _presets(_: argparse.Namespace) -> None:
    for preset in list_presets():
        print(f"{preset.order:3} {preset.slug:16} {preset.question}")
