"""One row of a sweep's table. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.experiment import Experiment
from engine.many.measurement import Measurement


@dataclass(frozen=True)
class Row:
    """A `Measurement` with the settings that vary in the sweep, among them the seed. `seconds` do not count in ==."""

    number: int
    settings: Mapping[str, Any]
    step: int
    held_out_loss: float
    metric: float
    ratio: float
    diverged: bool
    seconds: float = field(compare=False)

    @classmethod
    def of(cls, settings: Mapping[str, Any], measurement: Measurement) -> Row:
        """The row of a measurement."""
        return cls(measurement.number, settings, *measurement[1:])

    def measured(self, number: int) -> Measurement:
        """The measurement again, of the network with this number in another sweep."""
        return Measurement(number, *(getattr(self, name) for name in Measurement._fields[1:]))


def varied(experiments: Sequence[Experiment]) -> list[dict[str, Any]]:
    """Of each experiment the settings in which they differ, and the seed."""
    every = [e.to_dict() for e in experiments]
    names = [name for name in every[0] if name == "seed" or any(each[name] != every[0][name] for each in every)]
    return [{name: each[name] for name in names} for each in every]
