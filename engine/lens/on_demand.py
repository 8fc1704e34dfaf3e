"""Readings that a frame has only on request, of the drawn sequence: each costs more than the rest of the frame."""

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
        """Return the gradients to be swept back, (T, S, 1, directions * H); None if no sweep is needed."""

    def read(self, trace: ForwardTrace, swept: SweepResult | None, /) -> FrozenArrays | None:
        """Return the reading from the sweep of its seeds; None if this network has no such reading."""


READERS: dict[str, OnDemandReading] = {"decomposition": decomposition, "spectrum": spectrum, "saliency": saliency}
"""Keys are those of `engine.frame.readings.ON_DEMAND_READINGS`, in the same order."""


def compute_on_demand(trace: ForwardTrace, requested: Collection[str]) -> dict[str, Any]:
    """Compute {name: reading} for the requested readings that this network has. Changes nothing.

    One sweep is made for the seeds of all readings.
    """
    readers = {name: reader for name, reader in READERS.items() if name in requested}
    if not readers:
        return {}
    drawn = trace.single_sequence(DRAWN)
    seeds = {name: seeds for name, reader in readers.items() if (seeds := reader.seeds(drawn)) is not None}
    swept = dict(zip(seeds, sweep_together(drawn, list(seeds.values())), strict=True))
    readings = {name: reader.read(drawn, swept.get(name)) for name, reader in readers.items()}
    return {name: reading for name, reading in readings.items() if reading is not None}
