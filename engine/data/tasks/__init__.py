"""What each kind of data asks of a network: a file each, with one function that makes the Task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.data.tasks.labelled import labelled_task
from engine.data.tasks.pairs import pairs_task
from engine.data.tasks.sequences import sequences_task
from engine.data.tasks.series import series_task
from engine.data.tasks.tagged import tagged_task
from engine.data.tasks.text import text_task
from engine.tasks import Task

MAKERS: dict[str, Callable[[str, dict[str, Any], Any], Task]] = {
    "series": series_task,
    "text": text_task,
    "labelled": labelled_task,
    "pairs": pairs_task,
    "tagged": tagged_task,
    "sequences": sequences_task,
}
"""By kind: (the file's name, what was understood of it, its content) -> the task."""
