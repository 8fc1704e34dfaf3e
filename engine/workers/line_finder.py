"""Finds where theory draws lines across a map of gains, one number after the other, beside what a worker trains."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from engine.experiment import Experiment
from engine.lens.gain_lines import (
    gain_of_certain_vanishing,
    gain_of_unit_radius,
    gain_of_zero_exponent,
    largest_exponents,
)
from engine.workers.protocol import Measured, MeasureLines


class LineFinder:
    """One order in a worker; it rests as long as it works, as a `Timer` does.

    Attributes:
        due: when the next number may be computed.
        done: how many were.
    """

    def __init__(self, order: MeasureLines, clock: Callable[[], float] = time.monotonic) -> None:
        self.key, self.due, self._order, self._clock = order.key, 0.0, order, clock
        self._experiments = [Experiment.from_dict(settings) for settings in order.settings]
        self._exponents: list[float] = []  # of the network that is being looked at, at the gains so far
        self._found: list[float] = []
        self.done = 0

    @property
    def total(self) -> int:
        """Numbers to be computed."""
        return len(self._order.gains) * len(self._experiments)

    def advance(self) -> Measured:
        """Compute the exponent of one network at one gain, and after the last gain what follows for that network."""
        began = self._clock()
        number, place = divmod(self.done, len(self._order.gains))
        experiment, gains = self._experiments[number], self._order.gains
        self._exponents.append(float(largest_exponents(experiment, [gains[place]])[0]))
        if len(self._exponents) == len(gains):
            chaos = gain_of_zero_exponent(gains, self._exponents)
            self._exponents = []
            for gain in (gain_of_unit_radius(experiment), gain_of_certain_vanishing(experiment), chaos):
                self._found.append(math.nan if gain is None else gain)
        self.done += 1
        now = self._clock()
        self.due = now + (now - began)
        return Measured(self.key, tuple(self._found) if self.done == self.total else None, self.done, self.total)
