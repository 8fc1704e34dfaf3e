"""Train a stretch: a function of the stretch alone, so it gives the same wherever it is called."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import numpy as np

from engine.experiment import Experiment
from engine.many.choice import pays
from engine.many.held_out import HeldOutMeter, SeparateMeter
from engine.many.held_out_beside import SideBySideMeter
from engine.many.many import Many
from engine.many.measurement import Measurement
from engine.many.networks import Networks, make_networks
from engine.many.stretch import Checkpoint, Stretch, Trained
from engine.tasks import Task
from engine.training.gpu import on_this_machine

SECONDS = "seconds"
"""What the networks of a checkpoint have taken so far, all together."""
Clock = Callable[[], float]


def train(stretch: Stretch, clock: Clock = time.perf_counter) -> Trained:
    """Go on from the checkpoint until the time is over, or all is done; at least one update is made.

    Args:
        clock: the time in seconds.
    """
    began = clock()
    training = Training(stretch, clock)
    while not training.done:
        training.advance()
        if clock() - began >= stretch.seconds:
            break
    return Trained(training.take(), training.checkpoint(), training.updates, training.done)


class Training:
    """The networks of a stretch while they are trained, and what is measured of them.

    Networks are measured at fixed steps, so that the measurements do not depend on where a stretch ends.

    Args:
        stretch: what is trained; its `seconds` are not looked at.
        clock: the time in seconds.
        task: of somebody's own data, on which all train; None for tasks of the catalogue.

    Attributes:
        experiments: of the networks.
        beside: True if they are trained side by side.
    """

    def __init__(self, stretch: Stretch, clock: Clock = time.perf_counter, task: Task | None = None) -> None:
        self._clock, self._began, self._spent = clock, clock(), 0.0
        self._stretch = stretch
        self.experiments = [on_this_machine(Experiment.from_dict(settings, task)) for settings in stretch.experiments]
        self.beside = pays(self.experiments) if stretch.beside is None else stretch.beside
        self._networks = make_networks(self.experiments, self.beside)
        self._meter = _meter_of(self._networks)
        self._measurements: list[Measurement] = []
        if stretch.checkpoint is None:
            self._measure(range(len(stretch.numbers)))
        else:
            self._networks.restore(stretch.checkpoint)
            self._spent = float(stretch.checkpoint[SECONDS])
        self._stop_clock()

    @property
    def step(self) -> int:
        """The updates of the networks that have not diverged."""
        return int(self._networks.steps.max())

    @property
    def steps(self) -> np.ndarray:
        """The updates that each network has made, (S,)."""
        return self._networks.steps

    @property
    def updates(self) -> int:
        """How many all networks have made together; those that a diverged one does not make count as made."""
        return int(np.where(self._networks.diverged, self._stretch.updates, self._networks.steps).sum())

    @property
    def done(self) -> bool:
        """True if there is nothing left to do."""
        return bool((self._networks.diverged | (self._networks.steps >= self._stretch.updates)).all())

    @property
    def seconds(self) -> float:
        """What all networks have taken so far, together."""
        return self._spent

    def advance(self) -> None:
        """Make one update of all networks, and measure those whose turn it is."""
        self._began = self._clock()
        networks, stretch = self._networks, self._stretch
        before = networks.diverged.copy()
        networks.advance()
        self._measure(np.flatnonzero(networks.diverged & ~before))
        if self.step % stretch.measure_every == 0 or self.step == stretch.updates:
            self._measure(np.flatnonzero(~networks.diverged))
        self._stop_clock()

    def take(self) -> tuple[Measurement, ...]:
        """What was measured since this was last called."""
        taken, self._measurements = tuple(self._measurements), []
        return taken

    def checkpoint(self) -> Checkpoint:
        """Where the networks are now."""
        return {**self._networks.checkpoint(), SECONDS: np.array(self._spent)}

    def _stop_clock(self) -> None:
        now = self._clock()
        self._spent, self._began = self._spent + now - self._began, now

    def _measure(self, places: Iterable[int]) -> None:
        """Measure these networks."""
        networks, numbers, chosen = self._networks, self._stretch.numbers, list(map(int, places))
        found = self._meter.measure(chosen)
        share = (self._spent + self._clock() - self._began) / len(numbers)
        for place, held_out in zip(chosen, found, strict=True):
            step, diverged = int(networks.steps[place]), bool(networks.diverged[place])
            self._measurements.append(Measurement(numbers[place], step, *held_out, diverged, share))


def _meter_of(networks: Networks) -> HeldOutMeter:
    return SideBySideMeter(networks) if isinstance(networks, Many) else SeparateMeter(networks)
