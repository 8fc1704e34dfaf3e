"""Train a stretch: a function of the stretch alone, so it gives the same wherever it is called."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import numpy as np

from engine.experiment import Experiment
from engine.many.held_out import HeldOutMeter
from engine.many.networks import make_networks
from engine.sweeps.row import Measurement
from engine.sweeps.stretch import Stretch, Trained

SECONDS = "seconds"
"""What the networks of a checkpoint have taken so far, all together."""


def train(stretch: Stretch, clock: Callable[[], float] = time.perf_counter) -> Trained:
    """Go on from the checkpoint until the time is over, or all is done; at least one update is made.

    Networks are measured at fixed steps, so that the measurements do not depend on where a stretch ends.

    Args:
        clock: the time in seconds.
    """
    return _Training(stretch, clock).run()


class _Training:
    """The networks of a stretch, and what was measured of them."""

    def __init__(self, stretch: Stretch, clock: Callable[[], float]) -> None:
        self._stretch, self._clock, self._began = stretch, clock, clock()
        experiments = [Experiment.from_dict(settings) for settings in stretch.experiments]
        self._networks = make_networks(experiments, stretch.beside)
        self._meter = HeldOutMeter(experiments, stretch.beside)
        self._measurements: list[Measurement] = []
        self._before = 0.0
        if stretch.checkpoint is not None:
            self._networks.restore(stretch.checkpoint)
            self._before = float(stretch.checkpoint[SECONDS])

    def run(self) -> Trained:
        """Train; see `train`."""
        stretch, networks = self._stretch, self._networks
        if stretch.checkpoint is None:
            self._measure(range(len(stretch.numbers)))
        while not self._done:
            before = networks.diverged.copy()
            networks.advance()
            self._measure(np.flatnonzero(networks.diverged & ~before))
            step = networks.steps.max()
            if step % stretch.measure_every == 0 or step == stretch.updates:
                self._measure(np.flatnonzero(~networks.diverged))
            if self._clock() - self._began >= stretch.seconds:
                break
        made = np.where(networks.diverged, stretch.updates, networks.steps)
        checkpoint = {**networks.checkpoint(), SECONDS: np.array(self._seconds)}
        return Trained(tuple(self._measurements), checkpoint, int(made.sum()), self._done)

    @property
    def _done(self) -> bool:
        return bool((self._networks.diverged | (self._networks.steps >= self._stretch.updates)).all())

    @property
    def _seconds(self) -> float:
        """What these networks have taken so far, all together."""
        return self._before + self._clock() - self._began

    def _measure(self, places: Iterable[int]) -> None:
        """Measure these networks."""
        networks, numbers, chosen = self._networks, self._stretch.numbers, list(map(int, places))
        found = self._meter.measure(networks, chosen)
        share = self._seconds / len(numbers)
        for place, held_out in zip(chosen, found, strict=True):
            step, diverged = int(networks.steps[place]), bool(networks.diverged[place])
            self._measurements.append(Measurement(numbers[place], step, *held_out, diverged, share))
