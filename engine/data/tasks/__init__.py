"""What each kind of data asks of a network: a file each, with one function that makes the Task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.tasks import Task

MAKERS: dict[str, Callable[[str, dict[str, Any], Any], Task]] = {}
"""By kind: (the file's name, what was understood of it, its content) -> the task."""
