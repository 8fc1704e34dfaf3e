"""A sweep on disk while it goes on: what is to be done, and of each group of networks how far it is. No torch.

The folder has `sweep.json`, and a file `group-0007.npz` for each group, replaced as a whole after each stretch: it is
the old one or the new one, whenever everything is killed.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.experiment import Experiment
from engine.many.measurement import Measurement
from engine.many.stretch import Trained
from engine.whole_file import whole_file

PLAN = "sweep.json"
FORMAT = 1
CHECKPOINT, MEASURED = "checkpoint.", "measured."
KINDS = {"number": np.int64, "step": np.int64, "diverged": np.bool_}
"""Of the columns of measurements; the others are float64."""


NOT_WRITTEN = (
    "{path} cannot be written: {why}. What was kept before is still there: make room, and the same command goes on."
)


class SweepError(Exception):
    """A sweep cannot begin, or go on; the message says why."""


@dataclass(frozen=True)
class Plan:
    """What a sweep is to do.

    Args:
        experiments: all of them.
        updates, measure_every: of each network, as in `engine.many.stretch.Stretch`.
    """

    experiments: tuple[Experiment, ...]
    updates: int
    measure_every: int


@dataclass(frozen=True)
class Group:
    """Networks that are trained as one piece of work: the numbers of their experiments, and how."""

    numbers: tuple[int, ...]
    beside: bool


class Journal:
    """A folder that keeps a sweep.

    Raises:
        SweepError: if it keeps another sweep than this one, or is damaged.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        self._folder, self._plan = folder, plan
        self.groups = self._groups()

    def begin(self, groups: Sequence[Group]) -> None:
        """Write down what is to be done. How groups are trained was measured, so it is kept as well."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self.groups = tuple(groups)
        kept = {
            "format": FORMAT,
            "updates": self._plan.updates,
            "measure_every": self._plan.measure_every,
            "experiments": [e.to_dict() for e in self._plan.experiments],
            "groups": [[each.numbers, each.beside] for each in groups],
        }
        _replace(self._folder / PLAN, json.dumps(kept).encode())

    def read(self, group: int) -> Trained | None:
        """How far a group is, with all that was measured of it; None if it has not begun."""
        path = self._path(group)
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as arrays:
            columns = [arrays[MEASURED + name].tolist() for name in Measurement._fields]
            checkpoint = {
                name.removeprefix(CHECKPOINT): arrays[name] for name in arrays.files if name.startswith(CHECKPOINT)
            }
            rows = tuple(Measurement(*row) for row in zip(*columns, strict=True))
            return Trained(rows, checkpoint, int(arrays["updates"]), bool(arrays["done"]))

    def write(self, group: int, trained: Trained) -> None:
        """Write how far a group is, with all that was measured of it."""
        arrays: dict[str, Any] = {
            MEASURED + name: np.array([getattr(row, name) for row in trained.measurements], KINDS.get(name, np.float64))
            for name in Measurement._fields
        }
        arrays |= {CHECKPOINT + name: values for name, values in trained.checkpoint.items()}
        buffer = io.BytesIO()
        np.savez(buffer, updates=trained.updates, done=trained.done, **arrays)
        _replace(self._path(group), buffer.getvalue())

    def _path(self, group: int) -> Path:
        return self._folder / f"group-{group:04}.npz"

    def _groups(self) -> tuple[Group, ...] | None:
        """The groups that the folder has; None if no sweep has begun in it."""
        if not (self._folder / PLAN).exists():
            return None
        if read_plan(self._folder) != self._plan:
            raise SweepError(f"{self._folder} keeps another sweep. Remove it, or choose another name for the results.")
        return tuple(Group(tuple(numbers), beside) for numbers, beside in _read(self._folder)["groups"])


def read_plan(folder: Path) -> Plan:
    """What the sweep of a folder is to do.

    Raises:
        SweepError: if the folder keeps no sweep.
    """
    kept = _read(folder)
    experiments = tuple(Experiment.from_dict(settings) for settings in kept["experiments"])
    return Plan(experiments, kept["updates"], kept["measure_every"])


def _read(folder: Path) -> dict[str, Any]:
    """The contents of `sweep.json`."""
    try:
        kept = json.loads((folder / PLAN).read_text(encoding="utf-8"))
    except OSError as error:
        raise SweepError(f"{folder} keeps no sweep: {error}.") from error
    except ValueError as error:
        raise SweepError(f"{folder / PLAN} is damaged ({error}). Remove the folder to begin again.") from error
    for name in ("format", "experiments", "groups", "updates", "measure_every"):
        if name not in kept:
            raise SweepError(f"{folder / PLAN} is damaged: it has no {name}. Remove the folder to begin again.")
    if kept["format"] > FORMAT:
        raise SweepError(f"{folder / PLAN} was written by a newer version of this program.")
    return kept


def _replace(path: Path, content: bytes) -> None:
    """Write a file as a whole."""
    try:
        with whole_file(path) as file:
            file.write(content)
    except OSError as error:
        raise SweepError(NOT_WRITTEN.format(path=path, why=error.strerror)) from error
