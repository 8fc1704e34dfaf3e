"""How long an update takes: several trainers in turn, one update each, so that all meet the same noise."""

from __future__ import annotations

import statistics
import time

from engine.experiment import Experiment
from engine.training import Trainer
from engine.workers.protocol import Measure, Measured


class Gauge:
    """One measurement inside the worker, advanced by single updates. It takes at most half of the worker's time."""

    def __init__(self, order: Measure) -> None:
        self.key, self.repeats = order.key, order.repeats
        self.due = 0.0  # when the next update may be made
        self._settings = order.settings
        self._trainers: list[Trainer] = []
        self._seconds: list[list[float]] = [[] for _ in order.settings]

    @property
    def done(self) -> int:
        """Updates that were timed."""
        return sum(map(len, self._seconds))

    @property
    def total(self) -> int:
        """Updates that are to be timed."""
        return self.repeats * len(self._seconds)

    def turn(self) -> Measured:
        """One update: first one of each network that does not count, to warm it up, then in turn those that do."""
        began = time.monotonic()
        if len(self._trainers) < len(self._settings):
            trainer = Trainer(Experiment.from_dict(self._settings[len(self._trainers)]))
            trainer.advance()
            self._trainers.append(trainer)
        else:
            which, begin = self.done % len(self._trainers), time.perf_counter()
            self._trainers[which].advance()
            self._seconds[which].append(time.perf_counter() - begin)
        now = time.monotonic()
        self.due = now + (now - began)
        medians = tuple(map(statistics.median, self._seconds)) if self.done == self.total else None
        return Measured(self.key, medians, self.done, self.total)
