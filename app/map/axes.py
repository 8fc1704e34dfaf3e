"""The settings that can be an axis of a map, and how their values are spread along it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.experiment import RANGES, Experiment, ExperimentError
from engine.sweeps.definition import spread

MOST_VALUES = 32


@dataclass(frozen=True)
class Kind:
    """A setting as an axis.

    Args:
        title: what stands at the axis.
        low, high: where it usually begins and ends.
        is_log: its values have equal proportions, not equal distances.
    """

    title: str
    low: float
    high: float
    is_log: bool = True


KINDS: dict[str, Kind] = {
    "init_gain": Kind("gain of the initial W_hh", 0.35, 3.0),
    "seq_len": Kind("length of the sequence", 2, 48, is_log=False),
    "learning_rate": Kind("learning rate", 1e-4, 0.1),
    "clip_threshold": Kind("clipping threshold", 0.01, 100.0),
    "hidden_size": Kind("hidden units", 2, 64),
    "forget_bias": Kind("forget bias", -4, 4, is_log=False),
    "batch_size": Kind("batch size", 1, 128),
    "num_layers": Kind("layers", 1, 4, is_log=False),
}


@dataclass(frozen=True)
class Axis:
    """Values of one setting, rising.

    Args:
        name: a setting of KINDS.
        values: at least one.
    """

    name: str
    values: tuple[float, ...]

    @classmethod
    def spread(cls, name: str, low: float, high: float, count: int) -> Axis:
        """So many values between two ends, which are among them.

        Raises:
            ExperimentError: for ends that the setting does not accept, or a count that is too large.
        """
        limits = RANGES[name]
        for end in (low, high):
            if not limits.low <= end <= limits.high:
                raise ExperimentError(name, got=end, accepts=str(limits))
        if not 2 <= count <= MOST_VALUES:
            raise ExperimentError(name, got=f"{count} values", accepts=f"2 to {MOST_VALUES} values")
        if low >= high:
            raise ExperimentError(name, got=f"{low:g} to {high:g}", accepts="from a smaller to a larger number")
        is_log = KINDS[name].is_log and low > 0
        return cls(name, spread(low, high, count, log=is_log, whole=limits.whole))

    @classmethod
    def of(cls, name: str, values: Sequence[float]) -> Axis:
        """These values.

        Raises:
            ExperimentError: for one that the setting does not accept, or another number of values than is allowed.
        """
        limits = RANGES[name]
        given = [int(value) if limits.whole and value == int(value) else value for value in sorted(set(values))]
        for value in given:
            if not limits.holds(value):
                raise ExperimentError(name, got=value, accepts=str(limits))
        if not 2 <= len(given) <= MOST_VALUES:
            raise ExperimentError(name, got=f"{len(given)} values", accepts=f"2 to {MOST_VALUES} values")
        return cls(name, tuple(given))

    @classmethod
    def usual(cls, name: str, experiment: Experiment, count: int) -> Axis:
        """The usual values of a setting, as far as an experiment's task accepts them."""
        kind = KINDS[name]
        low, high = kind.low, kind.high
        if name == "seq_len":
            lengths = experiment.definition.lengths
            low, high = max(low, lengths.low), min(high, lengths.high)
        return cls.spread(name, low, high, count)

    @property
    def title(self) -> str:
        """What stands at the axis."""
        return KINDS[self.name].title

    @property
    def labels(self) -> list[str]:
        """Each value as text."""
        return [f"{value:.3g}" for value in self.values]

    def place(self, value: float) -> float:
        """Where a value lies, counted in values from the first: 1.5 is between the second and third; NaN outside."""
        values = np.asarray(self.values, float)
        if not values[0] <= value <= values[-1]:
            return float("nan")
        if KINDS[self.name].is_log and values[0] > 0:
            values, value = np.log(values), float(np.log(value))
        return float(np.interp(value, values, np.arange(len(values))))
