"""What was measured of a map's networks: the newest numbers of each, and its history."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from app.map.plan import MapPlan
from engine.frame import RunInfo
from engine.frame.held_out import counts_as_solved
from engine.many.measurement import Measurement


class Results:
    """The measurements of a map.

    Attributes:
        plan: the map.
        loss: (networks,) held-out loss over the loss to beat; NaN before the first measurement.
        metric, ratio: (networks,), as of a `Measurement`.
        solved: (networks,) bool, at any measurement so far; see `engine.sweeps.success`.
        diverged: (networks,) bool.
        steps: (networks,) the updates after which each was measured last; -1 before the first measurement.
    """

    def __init__(self, plan: MapPlan) -> None:
        self.plan = plan
        count = len(plan.experiments)
        self.loss, self.metric, self.ratio = (np.full(count, np.nan) for _ in range(3))
        self.solved, self.diverged = np.zeros(count, bool), np.zeros(count, bool)
        self.steps = np.full(count, -1)
        self._history: dict[int, list[Measurement]] = {}
        self._infos: dict[int, RunInfo] = {}

    def add(self, measurements: Iterable[Measurement]) -> None:
        """Take measurements, those of a network in the order of its steps."""
        for each in measurements:
            number = each.number
            info = self.info(number)
            self._history.setdefault(number, []).append(each)
            self.loss[number] = each.held_out_loss / info.held_out_baseline
            self.metric[number], self.ratio[number] = each.metric, each.ratio
            self.solved[number] |= counts_as_solved(info, each.held_out_loss, each.metric, before=False)
            self.diverged[number], self.steps[number] = each.diverged, each.step

    def prepare(self) -> None:
        """Find out what is known of every network's data, which takes a while, before the first measurement comes."""
        for number in range(len(self.plan.experiments)):
            self.info(number)

    def info(self, number: int) -> RunInfo:
        """What is known of a network's data; those of all panels are alike, so the first panel's is taken."""
        alike = number % (len(self.plan.experiments) // len(self.plan.cells))
        if alike not in self._infos:
            self._infos[alike] = RunInfo.of(self.plan.experiments[alike])
        return self._infos[alike]

    def history(self, number: int) -> list[Measurement]:
        """All measurements of one network."""
        return self._history.get(number, [])

    def by_point(self, values: np.ndarray) -> np.ndarray:
        """Numbers of all networks as (cells, y, x, seeds)."""
        return values.reshape(self.plan.shape)

    @property
    def step(self) -> int:
        """The step of the network that is behind all others, of those that go on."""
        going_on = self.steps[~self.diverged]
        return max(0, int(going_on.min())) if len(going_on) else int(self.steps.max())
