"""What the learning rate is multiplied by in each update."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from engine.experiment import Experiment


class Schedule:
    """The experiment's learning-rate schedule; see `Experiment` for what each kind does.

    All but "plateau" depend on the step alone. That one remembers the losses that it compares, and its `state` belongs
    into a checkpoint.
    """

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._lowest, self._total, self._count, self._reached = math.inf, 0.0, 0, 1.0

    def factor(self, step: int) -> float:
        """The factor of the update that is made after `step` others."""
        e = self._experiment
        if step < e.warmup:
            return (step + 1) / e.warmup
        since = step - e.warmup
        if e.schedule == "step":
            return e.schedule_factor ** (since // e.schedule_steps)
        if e.schedule == "cosine":
            return 0.5 * (1 + math.cos(math.pi * min(1.0, since / e.schedule_steps)))
        return self._reached

    def add(self, step: int, loss: float) -> None:
        """Take note of the loss of the update that was made after `step` others."""
        e = self._experiment
        if e.schedule != "plateau" or step < e.warmup:
            return
        self._total, self._count = self._total + loss, self._count + 1
        if self._count < e.schedule_steps:
            return
        mean = self._total / self._count
        if mean < self._lowest:
            self._lowest = mean
        else:
            self._reached *= e.schedule_factor
        self._total, self._count = 0.0, 0

    def state(self) -> dict[str, float]:
        """What `restore` needs to continue exactly."""
        return {"lowest": self._lowest, "total": self._total, "count": self._count, "reached": self._reached}

    def restore(self, state: Mapping[str, float] | None) -> None:
        """Load the state of a checkpoint; None, of one that is older than schedules, is that of the start."""
        start = Schedule(self._experiment).state()
        values = start if state is None else state
        self._lowest, self._total, self._reached = values["lowest"], values["total"], values["reached"]
        self._count = int(values["count"])


def planned_rates(experiment: Experiment, steps: np.ndarray) -> np.ndarray:
    """The learning rates of the updates that are made after these many others; NaN where only training can tell.

    Args:
        steps: (n,), whole numbers.

    Returns:
        (n,) float64.
    """
    schedule = Schedule(experiment)
    rates = np.array([experiment.learning_rate * schedule.factor(int(step)) for step in steps], float)
    waits = experiment.schedule == "plateau"
    return np.where(waits & (steps >= experiment.warmup), np.nan, rates)


def last_change(experiment: Experiment) -> int | None:
    """The update after which the schedule changes the rate no more; None if it may always go on to."""
    ends = {"constant": experiment.warmup, "cosine": experiment.warmup + experiment.schedule_steps}
    return ends.get(experiment.schedule)
