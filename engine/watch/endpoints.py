"""Where losses enter a watched module, and how far back the gradient of the one that enters last can come."""

from __future__ import annotations

import numpy as np

from engine.lens.norms import Endpoints
from engine.watch.flow import Flow
from engine.watch.kept import Kept

NOISE = {4: 1e-5, 8: 1e-10}
"""By bytes of a number. Where calls hand their state on, what enters a step is a difference of two gradients; less than
this share of the whole is rounding."""


def endpoints(flow: Flow, kept: Kept) -> Endpoints:
    """Where the followed loss enters every sequence, and the first step that its gradient can come back to."""
    steps, directions = len(flow.valid), kept.stack.directions
    if flow.last is not None:
        enters = flow.last.enters
    else:
        enters = np.stack([last_of(there, d) for d, there in enumerate(places_by_direction(flow, kept))])
    fresh = (start for start, link in zip(kept.starts, kept.links[1:], strict=True) if link is None or link.is_fresh)
    begins, stops = np.array([0, *fresh]), np.array([*kept.starts, steps])
    relevant = [begins[np.searchsorted(begins, np.maximum(enters[0], 0), "right") - 1]]
    if directions > 1:  # backwards nothing goes on from call to call
        stop = stops[np.searchsorted(stops, np.maximum(enters[1], 0), "right")]
        relevant.append(last_of(flow.valid & (np.arange(steps)[:, None] < stop), 0))
    return Endpoints(flow.valid, enters, np.stack(relevant))


def places_by_direction(flow: Flow, kept: Kept) -> np.ndarray:
    """(directions, T, rows) bool: where a gradient enters the top layer from above, as far as that can be told."""
    direct, total = kept.norms.direct[-1], kept.norms.total[-1]
    noise = NOISE[flow.hidden.itemsize] if kept.starts else 0.0
    with np.errstate(invalid="ignore"):
        there = (direct > noise * total) | np.isnan(direct)
    return there & flow.valid


def places_of(flow: Flow, kept: Kept) -> np.ndarray:
    """(T, rows) bool: where a loss enters, in any direction."""
    places: np.ndarray = np.any(places_by_direction(flow, kept), axis=0)
    columns = np.arange(flow.valid.shape[1])
    if flow.last is not None:  # also where it enters the end of a lower layer alone
        for enters in flow.last.enters:
            places[enters[enters >= 0], columns[enters >= 0]] = True
    return places


def last_of(there: np.ndarray, direction: int) -> np.ndarray:
    """(rows,): the last position in this direction's order of time that is true in (T, rows); -1 where none is."""
    first = there.argmax(0) if direction else len(there) - 1 - there[::-1].argmax(0)
    return np.where(there.any(0), first, -1)


def steps_back(ends: Endpoints, direction: int, sequence: int) -> np.ndarray:
    """The steps of a sequence that the gradient goes back from, from where the loss enters on."""
    enters, relevant = ends.enters[direction, sequence], ends.relevant[direction, sequence]
    if enters < 0:
        return np.zeros(0, int)
    between = np.arange(enters, relevant) if direction else np.arange(relevant + 1, enters + 1)
    return between[ends.valid[between, sequence]]


def what_is_broken(flow: Flow, norms: np.ndarray) -> str:
    """What is not finite in some sequence: "state" or "gradient"; empty if all is.

    Args:
        norms: (layers, directions, T, rows), of the whole gradient at the states.
    """
    states = (flow.hidden,) if flow.cell is None else (flow.hidden, flow.cell)
    if not all(np.isfinite(each).all() for each in states):
        return "state"
    return "" if np.isfinite(norms).all() else "gradient"
