"""Readings that a frame has only on request."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Protocol

from torch import Tensor

from engine.frame.frozen import FrozenArrays
from engine.frame.reading_request import ReadingRequest
from engine.lens import decomposition, saliency, spectrum, tag_accuracies
from engine.lens.followed_loss import followed_loss
from engine.lens.forward_trace import DRAWN, ForwardTrace
from engine.lens.preactivations import chain_terms
from engine.lens.sweep import SweepResult, sweep_together


class OnDemandReading(Protocol):
    """A module that computes one reading of a single sequence."""

    def seeds(self, trace: ForwardTrace, /) -> Tensor | None:
        """Return the gradients to be swept back, (T, S, 1, directions * H); None if no sweep is needed."""

    def read(self, trace: ForwardTrace, swept: SweepResult | None, /) -> FrozenArrays | None:
        """Return the reading from the sweep of its seeds; None if this network has no such reading."""


READERS: dict[str, OnDemandReading] = {
    "decomposition": decomposition,
    "spectrum": spectrum,
    "saliency": saliency,
    "tags": tag_accuracies,
}
"""Those without an argument. Keys are `engine.frame.readings.ON_DEMAND_READINGS`, in the same order."""

WITH_ARGUMENTS: dict[str, Callable[..., FrozenArrays | None]] = {"terms": chain_terms, "followed": followed_loss}
"""Those with arguments: functions of the probe's trace and the request's arguments. None if this network has no such
reading."""


def compute_on_demand(trace: ForwardTrace, requested: Collection[str]) -> dict[str, Any]:
    """Compute {name: reading} for the requested readings that this network has. Changes nothing.

    One sweep is made for the seeds of all readings without an argument. What is no request, or is one for something
    that this network does not have, is ignored; of several requests for one reading the last counts.
    """
    requests = {request.name: request for request in map(ReadingRequest.parse, requested) if request is not None}
    readings = _without_arguments(trace, {name: reader for name, reader in READERS.items() if name in requests})
    for name, compute in WITH_ARGUMENTS.items():
        if name in requests:
            readings[name] = compute(trace, *requests[name].arguments)
    return {name: reading for name, reading in readings.items() if reading is not None}


def _without_arguments(trace: ForwardTrace, readers: dict[str, OnDemandReading]) -> dict[str, FrozenArrays | None]:
    """Those of the drawn sequence."""
    if not readers:
        return {}
    drawn = trace.single_sequence(DRAWN)
    seeds = {name: seeds for name, reader in readers.items() if (seeds := reader.seeds(drawn)) is not None}
    swept = dict(zip(seeds, sweep_together(drawn, list(seeds.values())), strict=True))
    return {name: reader.read(drawn, swept.get(name)) for name, reader in readers.items()}
