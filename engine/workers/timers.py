"""Measures how long things take. They take turns, one repeat each, so that a busy machine slows all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from engine.experiment import Experiment
from engine.layers.recurrence_trials import trials
from engine.training import Trainer
from engine.workers.line_finder import LineFinder
from engine.workers.protocol import Measure, Measured, MeasureLines, MeasureOrder

Act = Callable[[], Any]
"""What is timed: one update of a network, or one pass through a recurrence and back."""


class Timer:
    """One measurement in a worker, advanced by single repeats. Takes at most half of the worker's time.

    Args:
        prepare: makes what is timed, one after the other, when the measurement begins.
    """

    def __init__(
        self, key: int, prepare: Sequence[Callable[[], Act]], repeats: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.key, self.repeats, self._clock = key, repeats, clock
        self.due = 0.0  # when the next repeat may be made
        self._prepare = prepare
        self._acts: list[Act] = []
        self._seconds: list[list[float]] = [[] for _ in prepare]

    @property
    def done(self) -> int:
        """Repeats timed so far."""
        return sum(map(len, self._seconds))

    @property
    def total(self) -> int:
        """Repeats to be timed."""
        return self.repeats * len(self._seconds)

    def advance(self) -> Measured:
        """Make one repeat. The first one of each act warms it up and is not counted."""
        began = self._clock()
        if len(self._acts) < len(self._prepare):
            act = self._prepare[len(self._acts)]()
            act()
            self._acts.append(act)
        else:
            index, begin = self.done % len(self._acts), time.perf_counter()
            self._acts[index]()
            self._seconds[index].append(time.perf_counter() - begin)
        now = self._clock()
        self.due = now + (now - began)
        medians = tuple(map(statistics.median, self._seconds)) if self.done == self.total else None
        return Measured(self.key, medians, self.done, self.total)


def timer_of(order: MeasureOrder, clock: Callable[[], float] = time.monotonic) -> Timer | LineFinder:
    """Who carries an order out."""
    if isinstance(order, MeasureLines):
        return LineFinder(order, clock)
    if isinstance(order, Measure):
        return Timer(order.key, [partial(_updates, settings) for settings in order.settings], order.repeats, clock)
    return Timer(order.key, trials(order.shapes), order.repeats, clock)


def _updates(settings: dict[str, Any]) -> Act:
    """One update of a network of these settings."""
    return Trainer(Experiment.from_dict(settings)).advance
