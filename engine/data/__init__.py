"""Somebody's own data: a file becomes a Dataset, and a Dataset a task.

    read(source, kind=None, **choices) -> Dataset

Files are parsed, never executed and never unpickled. What is wrong is a DataError that names line and column, what is
guessed or left out a Problem that says so.
"""

from __future__ import annotations

from typing import Any

from engine.data.dataset import KINDS, Dataset
from engine.data.problems import DataError, Problem

__all__ = ["KINDS", "DataError", "Dataset", "Problem", "read"]


def read(source: Any, kind: str | None = None, **choices: Any) -> Dataset:
    """As `engine.data.reading.read`, which is imported late: it loads pandas, and a worker that trains needs none."""
    from engine.data.reading import read as read_now

    return read_now(source, kind, **choices)
