"""Measures how long an update takes. Networks take turns, one update each, so that a busy machine slows all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from engine.experiment import Experiment
from engine.training import Trainer
from engine.workers.protocol import Measure, Measured


class UpdateTimer:
    """One measurement in a worker, advanced by single updates. Takes at most half of the worker's time."""

    def __init__(self, order: Measure, clock: Callable[[], float] = time.monotonic) -> None:
        self.key, self.repeats, self._clock = order.key, order.repeats, clock
        self.due = 0.0  # when the next update may be made
        self._settings = order.settings
        self._trainers: list[Trainer] = []
        self._seconds: list[list[float]] = [[] for _ in order.settings]

    @property
    def done(self) -> int:
        """Updates timed so far."""
        return sum(map(len, self._seconds))

    @property
    def total(self) -> int:
        """Updates to be timed."""
        return self.repeats * len(self._seconds)

    def advance(self) -> Measured:
        """Make one update. The first one of each network warms it up and is not counted."""
        began = self._clock()
        if len(self._trainers) < len(self._settings):
            trainer = Trainer(Experiment.from_dict(self._settings[len(self._trainers)]))
            trainer.advance()
            self._trainers.append(trainer)
        else:
            index, begin = self.done % len(self._trainers), time.perf_counter()
            self._trainers[index].advance()
            self._seconds[index].append(time.perf_counter() - begin)
        now = self._clock()
        self.due = now + (now - began)
        medians = tuple(map(statistics.median, self._seconds)) if self.done == self.total else None
        return Measured(self.key, medians, self.done, self.total)
