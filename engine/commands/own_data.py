"""Somebody's own data on the command line: how they are read, and what is said of them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.data import Dataset
from engine.data.problems import names_line

Say = Callable[[str], None]
"""Prints a line."""


def parse(assignment: str) -> tuple[str, object]:
    """Parse name=value; the value is a number, true, false, none or a word."""
    name, _, raw = assignment.partition("=")
    words = {"none": None, "true": True, "false": False}
    if raw in words:
        return name, words[raw]
    for kind in (int, float):
        try:
            return name, kind(raw)
        except ValueError:
            continue
    return name, raw


def read_data(chosen: argparse.Namespace, say: Say) -> Dataset:
    """Read somebody's own data, and say what was understood, what is wrong with them, and what is to be beaten."""
    from engine.data import read  # pandas is loaded only for reading

    choices: dict[str, Any] = dict(parse(each) for each in chosen.choose)
    if chosen.target:
        choices["target"] = chosen.target
    files = [Path(name) for name in chosen.data]
    dataset: Dataset = read(files[0] if len(files) == 1 else files, choices.pop("kind", None), **choices)
    say(f"{dataset.name}: {dataset.kind}")
    for name, value in dataset.summary.items():
        if name != "baselines":
            say(f"    {name.replace('_', ' ')}: {_shown(value)}")
    for problem in dataset.problems:
        is_said = problem.line is None or names_line(problem.sentence, problem.line)
        say(f"  - {problem.sentence if is_said else f'line {problem.line}: {problem.sentence}'}")
    if known := dataset.summary.get("baselines"):
        say("Simple answers, on all that is held out:")
        best = dataset.to_task().metric.best(known)
        for name, value in known.items():
            say(f"    {value:10.4g}  {name}{'  (the one to beat)' if name == best else ''}")
    return dataset


def _shown(value: object, most: int = 12) -> str:
    """A value of a summary in one line."""
    if isinstance(value, dict):
        value = [f"{name} {count}" for name, count in value.items()]
    if isinstance(value, list | tuple):
        more = f", and {len(value) - most} more" if len(value) > most else ""
        return ", ".join(map(str, value[:most])) + more
    return "none" if value is None else str(value)
