"""The readings of the drawn sequence that a frame has only on request: each costs more than all the rest."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol

from torch import Tensor

from engine.frame.frozen import FrozenArrays
from engine.lens import decomposition, saliency, spectrum
from engine.lens.forward_trace import DRAWN, ForwardTrace
from engine.lens.sweep import SweepResult, sweep_together


class OnDemandReading(Protocol):
    """A module that computes one reading of a single sequence."""

    def seeds(self, trace: ForwardTrace, /) -> Tensor | None:
        """The gradients that it needs swept back, (T, S, 1, directions * H); None if it needs no sweep."""

    def read(self, trace: ForwardTrace, swept: SweepResult | None, /) -> FrozenArrays | None:
        """The reading, from the sweep of its seeds; None for a network that has no such reading."""


READERS: dict[str, OnDemandReading] = {"decomposition": decomposition, "spectrum": spectrum, "saliency": saliency}
"""By the names of `engine.frame.readings.ON_DEMAND_READINGS`, and in their order."""


def compute_on_demand(trace: ForwardTrace, requested: Collection[str]) -> dict[str, Any]:
    """{name: reading} of the requested readings that this network has. Changes nothing.

    The seeds of all readings are swept back together, in a single sweep.
    """
    readers = {name: reader for name, reader in READERS.items() if name in requested}
    if not readers:
        return {}
    drawn = trace.single_sequence(DRAWN)
    seeds = {name: seeds for name, reader in readers.items() if (seeds := reader.seeds(drawn)) is not None}
    swept = dict(zip(seeds, sweep_together(drawn, list(seeds.values())), strict=True))
    readings = {name: reader.read(drawn, swept.get(name)) for name, reader in readers.items()}
    return {name: reading for name, reading in readings.items() if reading is not None}
