"""Tasks made of somebody's own data: known by the settings that name them, for as long as something uses them.

A recording opens where its data are not: a RecordedTask says what can be known of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from weakref import WeakValueDictionary

from engine.tasks.base import Task

OWN_DATA = "own_data"
"""The `task` of an experiment whose data are somebody's own; its `task_options` say which."""


class UnknownDataError(LookupError):
    """Own data that nobody has brought to this process."""


def options_key(options: Mapping[str, Any]) -> str:
    """Task options as one string: equal for equal options, whatever their order."""
    return json.dumps(options, sort_keys=True)


_TASKS: WeakValueDictionary[tuple[str, str], Task] = WeakValueDictionary()
"""By the options and the file's name. Weak: an experiment holds its task (`Experiment.definition`), so the data go with
the last one."""


def register(options: Mapping[str, Any], task: Task, name: str = "") -> Task:
    """Make a task known under these options; one that is known under them already is returned instead.

    Args:
        name: the file's. The same bytes under another name are another task: what one person calls a file is theirs.
    """
    return _TASKS.setdefault((options_key(options), name), task)


def known(options: Mapping[str, Any], name: str | None = None) -> Task | None:
    """The task that is known under these options; None if there is none.

    Args:
        name: the file's; None for any: of one file they differ in nothing but the name, of several perhaps in the names
            and the order of the classes.
    """
    key = options_key(options)
    if name is not None:
        return _TASKS.get((key, name))
    return next((task for (of, _), task in list(_TASKS.items()) if of == key), None)


def find(options: Mapping[str, Any]) -> Task:
    """The task of these options, whatever the file is called.

    Raises:
        UnknownDataError: if it was never registered here, or nothing has used it since.
    """
    task = known(options)
    if task is None:
        raise UnknownDataError(f"The data {options.get('data')} are not here; bring the file first.")
    return task


@dataclass(frozen=True, kw_only=True)
class RecordedTask(Task):
    """A task of own data that are not here, as a recording describes it. It draws nothing, so no network trains on it.

    Args:
        file: its name.
        measured: what `engine.frame.RunInfo` measures of a run's data, by the names of its fields.
    """

    file: str
    measured: Mapping[str, Any] = field(hash=False)


def not_here(*_: object) -> NoReturn:
    """Stands for what a RecordedTask cannot do.

    Raises:
        UnknownDataError: always.
    """
    raise UnknownDataError("The data of this recording are not here; bring the file first.")
