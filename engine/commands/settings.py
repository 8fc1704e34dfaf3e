"""`settings`: what `name=value` can say."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from engine.commands.command import add_command
from engine.experiment import CHOICES, LIVE_SETTINGS, MAY_BE_NONE, RANGES, Experiment
from engine.setting_synonyms import ALSO

EXAMPLE = """
settings
settings rate clip      those with such a word in their name, or in what else they are called
"""
A_TABLE = "a table, which the data say themselves"


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(commands, "settings", _settings, does="list the settings of a network and of its training",
                         example=EXAMPLE)  # fmt: skip
    parser.add_argument("words", nargs="*", help="list those alone that are called so, here or elsewhere")


def _settings(chosen: argparse.Namespace) -> None:
    usual = Experiment()
    for each in dataclasses.fields(Experiment):
        if not chosen.words or any(word.lower() in _names(each.name) for word in chosen.words):
            live = "  (also during a run)" if each.name in LIVE_SETTINGS else ""
            print(f"{each.name}={_written(getattr(usual, each.name))}{live}\n    {accepts(each.name)}")


def accepts(name: str) -> str:
    """What a setting can be, in a few words."""
    if name in CHOICES:
        return ", ".join(map(_written, CHOICES[name]))
    if name not in RANGES:
        return A_TABLE
    return f"{RANGES[name]}{', or none' if name in MAY_BE_NONE else ''}"


def _names(setting: str) -> str:
    """Its name, and what else it is called, in lower case."""
    return f"{setting}, {ALSO.get(setting, '')}".lower()


def _written(value: object) -> str:
    """A value as it is typed."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)
