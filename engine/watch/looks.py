"""From what a look has kept of a module to a `Chain` and a `Look`: what figures, stage and diagnosis read."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from engine.cells import CELLS
from engine.frame import Chain, Diagnosis, Look
from engine.frame.readings import Preactivations, StepFactors, WeightGradients
from engine.lens.norms import Endpoints, gradient_norms
from engine.lens.preactivations import preactivations
from engine.lens.step_factors import factors_of
from engine.lens.weight_gradients import weight_gradients_of
from engine.watch.advice import Code
from engine.watch.diagnosis import Watched, diagnose
from engine.watch.flow import Flow
from engine.watch.kept import FRESH, Kept, weights_by_chain
from engine.watch.mistakes import Mistake
from engine.watch.modules import WatchedModule

NOISE = {4: 1e-5, 8: 1e-10}
"""By bytes of a number. Where calls hand their state on, what enters a step is a difference of two gradients; less than
this share of the whole is rounding."""


def chain_of(flow: Flow, kept: Kept) -> Chain:
    """Describe a module's chain of states; the drawn sequence is the longest of those looked at."""
    stack, ends = kept.stack, endpoints(flow, kept)
    valid, counted = flow.valid[:, kept.drawn], _places(flow, kept)[:, kept.drawn]
    real = np.flatnonzero(valid)
    own_ends = (int(real[-1]), int(real[0]))
    measured = ends.enters[:, kept.drawn].tolist()
    entering = tuple(at if at >= 0 else own_ends[d] for d, at in enumerate(measured))
    at_own_ends = entering == own_ends[: stack.directions]
    alike = (flow.valid == flow.valid[:, :1]).all() and (ends.enters == ends.enters[:, :1]).all()
    return Chain(
        cell=stack.cell,
        nonlinearity=stack.nonlinearity,
        num_layers=stack.layers,
        directions=stack.directions,
        hidden_size=stack.units,
        input_size=kept.input_size,
        time_steps=len(valid),
        valid=tuple(valid.tolist()),
        counted=tuple(counted.tolist()),
        answers_once=bool(at_own_ends and counted.sum() <= stack.directions),
        entering=entering,
        same_lengths=bool(alike),
        sequences=flow.valid.shape[1],
        cuts=cuts_of(kept),
    )


def look_of(flow: Flow, kept: Kept) -> Look:
    """Everything that a frame has of a chain, without a diagnosis."""
    ends, drawn = endpoints(flow, kept), kept.drawn
    names = {f"{flow.name}.{name}": values for name, values in _matrices(kept).items()}
    is_plain = CELLS[kept.stack.cell].is_plain
    return Look(
        step=flow.backward_pass,
        hidden=flow.hidden[:, :, :, drawn].copy(),
        cell=None if flow.cell is None else flow.cell[:, :, :, drawn].copy(),
        gates={name: values[:, :, :, drawn].copy() for name, values in flow.gates.items()},
        valid=flow.valid[:, drawn].copy(),
        counted=_places(flow, kept)[:, drawn].copy(),
        factors=_factors(kept),
        weight_gradients=_weight_gradients(kept, ends),
        mean_weights={name: np.array(np.abs(values).mean()) for name, values in names.items()},
        spectral_norms={
            name: np.array(np.linalg.norm(values, 2))
            for name, values in names.items()
            if is_plain and "weight_hh" in name and np.isfinite(values).all()
        },
        **vars(gradient_norms(kept.norms, ends, drawn)),
        **vars(_preactivations(kept)),
    )


def diagnosis_of(flow: Flow, kept: Kept, module: WatchedModule, mistakes: Sequence[Mistake]) -> Diagnosis:
    """The verdict on one module; mistakes: those found in its wiring."""
    ends, drawn = endpoints(flow, kept), kept.drawn
    having = ends.enters >= 0
    distances = np.abs(ends.enters - ends.relevant)
    ways = [int(np.median(each[some])) if some.any() else 0 for each, some in zip(distances, having, strict=True)]
    return diagnose(
        Watched(
            code=Code(flow.name, kept.stack, kept.input_size, module.is_root, module.one_step),
            chain=chain_of(flow, kept),
            look=look_of(flow, kept),
            ways=tuple(ways),
            between=tuple(_between(ends, d, drawn) for d in range(len(ways))),
            follows_last=kept.follows_last,
            places=int(_places(flow, kept).sum(0).max()) if flow.last is None else int(flow.last.places.max()),
            detached=tuple(at for at in kept.swept.trace.cuts if ends.relevant[0, drawn] < at <= ends.enters[0, drawn]),
            calls=len(flow.calls),
            mistakes=mistakes,
        )
    )


def _between(ends: Endpoints, direction: int, drawn: int) -> np.ndarray:
    """The steps of the drawn sequence that the gradient goes back from, where the loss enters first of them."""
    enters, relevant = ends.enters[direction, drawn], ends.relevant[direction, drawn]
    between = np.arange(enters, relevant) if direction else np.arange(relevant + 1, enters + 1)
    return between[ends.valid[between, drawn]]


def endpoints(flow: Flow, kept: Kept) -> Endpoints:
    """Where the followed loss enters every sequence, and the first step that its gradient can come back to."""
    steps, directions = len(flow.valid), kept.stack.directions
    if flow.last is not None:
        enters = flow.last.enters
    else:
        places = _places_by_direction(flow, kept)
        enters = np.stack([_last(places[d], d) for d in range(directions)])
    begins = np.array([0, *(start for start, link in zip(kept.starts, kept.links[1:], strict=True)
                            if link is None or link.kind in FRESH)])  # fmt: skip
    stops = np.array([*kept.starts, steps])
    relevant = [begins[np.searchsorted(begins, np.maximum(enters[0], 0), "right") - 1]]
    if directions > 1:  # backwards nothing goes on from call to call
        stop = stops[np.searchsorted(stops, np.maximum(enters[1], 0), "right")]
        there = np.arange(steps)[:, None] < stop
        relevant.append(_last(flow.valid & there, 0))
    return Endpoints(flow.valid, enters, np.stack(relevant))


def cuts_of(kept: Kept) -> tuple[int, ...]:
    """The steps whose link to the step before lets no gradient back: detached states, and calls that begin anew."""
    linked = [link is not None and link.kind == "call" for link in kept.links[1:]]
    one_way = kept.stack.directions == 1
    return tuple(start for start, is_linked in zip(kept.starts, linked, strict=True) if not (is_linked and one_way))


def _places_by_direction(flow: Flow, kept: Kept) -> np.ndarray:
    """(directions, T, rows) bool: where a gradient enters the top layer from above, as far as that can be told."""
    direct, total = kept.norms.direct[-1], kept.norms.total[-1]
    noise = NOISE[flow.hidden.itemsize] if kept.starts else 0.0
    with np.errstate(invalid="ignore"):
        there = (direct > noise * total) | np.isnan(direct)
    return there & flow.valid


def _places(flow: Flow, kept: Kept) -> np.ndarray:
    """(T, rows) bool: where a loss enters, in any direction."""
    places: np.ndarray = np.any(_places_by_direction(flow, kept), axis=0)
    columns = np.arange(flow.valid.shape[1])
    if flow.last is not None:  # also where it enters the end of a lower layer alone
        for enters in flow.last.enters:
            places[enters[enters >= 0], columns[enters >= 0]] = True
    return places


def _last(there: np.ndarray, direction: int) -> np.ndarray:
    """(rows,): the last position in this direction's order of time that is true in (T, rows); -1 where none is."""
    first = there.argmax(0) if direction else len(there) - 1 - there[::-1].argmax(0)
    return np.where(there.any(0), first, -1)


def _factors(kept: Kept) -> StepFactors:
    return factors_of(kept.swept, kept.seeds)


def _weight_gradients(kept: Kept, ends: Endpoints) -> WeightGradients:
    """In the unit of the loss as it was differentiated, too."""
    found = weight_gradients_of(kept.swept, kept.seeds, ends.enters[:, kept.drawn].tolist())
    hh = None if found.hh is None else found.hh / kept.scale
    return dataclasses.replace(found, ih=found.ih / kept.scale, hh=hh)


def _preactivations(kept: Kept) -> Preactivations:
    """Of the top layer, forwards. All calls have the same biases, as a single pass has; NaN if they do not."""
    found = preactivations(kept.swept.trace)
    same = (found.biases == found.biases[:1]).all()
    return dataclasses.replace(found, biases=np.where(same, found.biases[:1], np.nan))


def _matrices(kept: Kept) -> dict[str, np.ndarray]:
    """The weights that are matrices, by their names in the module."""
    found = {}
    for layer, row in enumerate(weights_by_chain(kept.swept.trace)):
        for d, weights in enumerate(row):
            suffix = f"_l{layer}" + ("_reverse" if d else "")
            for what, values in (("ih", weights.ih), ("hh", weights.hh), ("hr", weights.hr)):
                if values is not None:
                    found[f"weight_{what}{suffix}"] = values.numpy()
    return found
