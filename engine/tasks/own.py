"""Tasks made of somebody's own data: known by the settings that name them, for as long as something uses them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from weakref import WeakValueDictionary

from engine.tasks.base import Task

OWN_DATA = "own_data"
"""The `task` of an experiment whose data are somebody's own; its `task_options` say which."""


class UnknownDataError(LookupError):
    """Own data that nobody has brought to this process."""


def _key(options: Mapping[str, Any]) -> str:
    return json.dumps(options, sort_keys=True)


_TASKS: WeakValueDictionary[str, Task] = WeakValueDictionary()
"""By what names it. Weak: an experiment holds its task (`Experiment.definition`), so the data go with the last one."""


def register(options: Mapping[str, Any], task: Task) -> Task:
    """Make a task known under these options; one that is known under them already is returned instead."""
    return _TASKS.setdefault(_key(options), task)


def find(options: Mapping[str, Any]) -> Task:
    """The task of these options.

    Raises:
        UnknownDataError: if it was never registered here, or nothing has used it since.
    """
    task = _TASKS.get(_key(options))
    if task is None:
        raise UnknownDataError(options.get("data"))
    return task
