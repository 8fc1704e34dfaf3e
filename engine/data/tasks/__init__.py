"""What each kind of data asks of a network: a file each, with one function that makes a Task of a Dataset."""

from __future__ import annotations

from collections.abc import Callable

from engine.data.dataset import Dataset
from engine.tasks import Task, register

MAKERS: dict[str, Callable[[Dataset], Task]] = {}


def to_task(dataset: Dataset) -> Task:
    """The task that these data ask of a network; the same object as long as something uses it."""
    return register(dataset.options, MAKERS[dataset.kind](dataset))
