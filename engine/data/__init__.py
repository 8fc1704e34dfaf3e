"""Somebody's own data: a file becomes a Dataset, and a Dataset a task.

    read(source, kind=None, **choices) -> Dataset

Files are parsed, never executed and never unpickled. What is wrong is a DataError that names line and column, what is
guessed or left out a Problem that says so.
"""

from __future__ import annotations

from engine.data.dataset import KINDS, Dataset
from engine.data.problems import DataError, Problem

__all__ = ["KINDS", "DataError", "Dataset", "Problem"]
