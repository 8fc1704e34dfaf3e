"""Networks that differ from a run in their seeds alone: how many updates they make, and what was measured of them."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.frame.held_out import counts_as_solved
from engine.many.measurement import Measurement
from engine.sweeps.success import Success
from engine.workers import Pool

SEEDS = (4, 8, 16)
"""So many networks can be trained."""
ALL_SEEDS = 2**31
"""A seed is smaller; after the last one comes 0."""
MOST_SECONDS, MOST_UPDATES = 600, 10_000
USUAL_UPDATES = 1000  # at most, where it is not known how long one takes
FEWEST_UPDATES = 20
MOST_MEASUREMENTS, LEAST_BETWEEN = 25, 20
"""Measurements of each network, besides that of the start, and the updates between two of them."""
MEASUREMENT = 8
"""A measurement reads many more sequences than an update: it takes at most about as long as so many updates."""


@dataclass(frozen=True)
class Plan:
    """What is trained.

    Args:
        experiment: of the run; the seeds that follow its own are taken, so that the run is none of the networks.
        seeds: networks.
        updates: of each.
        seconds: how long they take at most; None if that is not known.
    """

    experiment: Experiment
    seeds: int
    updates: int
    seconds: float | None

    @classmethod
    def of(cls, experiment: Experiment, seeds: int, seconds: float | None, runs_beside: int) -> Plan:
        """As many updates as the run makes, or fewer where that would take longer than MOST_SECONDS.

        The time is that of networks which are trained one after the other, in turn with the runs of their worker: side
        by side they are faster.

        Args:
            seconds: that one update takes; None if it is not known.
            runs_beside: runs that train in the same worker.
        """
        most = min(experiment.steps, MOST_UPDATES)
        if seconds is None:
            return cls(experiment, seeds, min(most, USUAL_UPDATES), None)
        of_all = seeds * seconds * (1 + runs_beside)
        in_time = bisect_right(range(most + 1), MOST_SECONDS / of_all, key=_work) - 1
        updates = most if in_time == most else min(most, max(FEWEST_UPDATES, _round_down(in_time)))
        return cls(experiment, seeds, updates, of_all * _work(updates))

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """One for each network."""
        first = self.experiment.seed + 1
        return tuple(self.experiment.replace(seed=seed % ALL_SEEDS) for seed in range(first, first + self.seeds))

    @property
    def measure_every(self) -> int:
        """Updates between two measurements."""
        return _measure_every(self.updates)


class SeedSweep:
    """The networks of a plan, which begin to train at once; see `engine.workers.SweepRun` for `run`."""

    def __init__(self, pool: Pool, plan: Plan) -> None:
        self.plan = plan
        self.run = pool.sweep(plan.experiments, plan.updates, plan.measure_every)
        self._infos = [RunInfo.of(experiment) for experiment in plan.experiments]
        self._measured: list[dict[int, Measurement]] = [{} for _ in plan.experiments]
        self._taken = 0

    def update(self) -> None:
        """Take what was measured since this was last called."""
        news = self.run.measurements[self._taken :]
        self._taken += len(news)
        for each in news:
            self._measured[each.number][each.step] = each

    def watch(self) -> None:
        """Somebody looks: train on for some seconds."""
        self.run.watch()

    def stop(self) -> None:
        """End the training; what was measured stays."""
        self.run.stop()

    @property
    def goes_on(self) -> bool:
        """True while there are updates to make."""
        return not (self.run.done or self.run.stopped)

    @property
    def step(self) -> int:
        """The updates that all networks have made, but for those that have diverged."""
        steps, _ = self.losses()
        return int(steps[-1]) if len(steps) else 0

    def losses(self) -> tuple[np.ndarray, np.ndarray]:
        """The held-out losses wherever all networks are measured.

        Returns:
            The steps (n,), ascending, and the losses (seeds, n): infinite once a network has diverged.
        """
        steps = sorted({step for measured in self._measured for step in measured})
        losses = np.array([[_loss_at(measured, step) for step in steps] for measured in self._measured])
        known = ~np.isnan(losses).any(axis=0)
        return np.array(steps, int)[known], losses[:, known]

    @property
    def success(self) -> Success:
        """How many networks have solved the task by `step`. As of a run, one that forgets again has solved it."""
        step = self.step
        solved = [
            any(
                counts_as_solved(info, each.held_out_loss, each.metric, before=False)
                for each in measured.values()
                if each.step <= step
            )
            for info, measured in zip(self._infos, self._measured, strict=True)
        ]
        return Success(sum(solved), self.plan.seeds)

    @property
    def diverged(self) -> int:
        """How many networks have stopped, since their next update had numbers that are not finite."""
        return len(self.run.diverged)


def _loss_at(measured: dict[int, Measurement], step: int) -> float:
    """A network's loss at a step: NaN if it was not measured there, infinite if it had diverged."""
    if step in measured:
        loss = measured[step].held_out_loss
        return loss if math.isfinite(loss) else math.inf
    return math.inf if any(each.diverged and each.step < step for each in measured.values()) else math.nan


def _measure_every(updates: int) -> int:
    return max(LEAST_BETWEEN, math.ceil(updates / MOST_MEASUREMENTS))


def _work(updates: int) -> int:
    """The updates of a network, and its measurements counted as updates."""
    return updates + MEASUREMENT * (1 + math.ceil(updates / _measure_every(updates)))


def _round_down(number: int) -> int:
    """To two digits: 1,234 becomes 1,200."""
    unit = 10 ** max(0, len(str(number)) - 2)
    return number // unit * unit
