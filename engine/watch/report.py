"""What a lens says: as text for a terminal, and as flat numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.cells import CELLS
from engine.diagnosis.bands import band
from engine.number_format import write_count
from engine.watch.flow import Flow
from engine.watch.mistakes import Mistake
from engine.watch.schedule import Cost

WORDS = {
    "vanished": "vanished",
    "vanishing": "is vanishing",
    "fading": "is fading",
    "healthy": "arrives",
    "rising": "rises",
    "growing": "grows",
    "exploding": "is exploding",
}


@dataclass(frozen=True)
class Report:
    """What there is to say."""

    flows: Mapping[str, Flow]
    mistakes: Sequence[Mistake]
    refusals: Mapping[str, str]
    cost: Cost


@dataclass(frozen=True)
class Reach:
    """How far the gradient comes back in one layer and direction: medians over the rows, of norms of dL/d(memory).

    Of the loss that enters last alone where that is known: of many losses, those nearby decide the size.

    Args:
        enters, first: the norms where it enters, and at the direction's first step. ratio: what is left, `first` /
            `enters`; NaN if nothing enters.
        steps: from where it enters back to the first. places: at how many steps a gradient enters.
        is_last_alone: False if this is the gradient of all losses together.
    """

    enters: float
    first: float
    ratio: float
    steps: int
    places: int
    is_last_alone: bool


def reach_of(flow: Flow, layer: int, direction: int) -> Reach:
    """Follow the gradient of one layer and direction back to its first step."""
    if flow.last is None:
        places = _places(flow, layer, direction)
        at = _last(places, direction)
        sizes, count = np.linalg.norm(flow.memory[layer, direction], axis=-1), places.sum(0)
    else:
        at, count = flow.last.enters[direction], flow.last.places[direction]
        sizes = np.linalg.norm(flow.last.memory[layer, direction], axis=-1)
    rows = np.flatnonzero((at >= 0) & flow.valid.any(0))
    if not len(rows):
        return Reach(0.0, 0.0, np.nan, 0, 0, flow.last is not None)
    at, count = at[rows], count[rows]
    starts = _last(flow.valid, 1 - direction)[rows]
    enters, first = sizes[at, rows], sizes[starts, rows]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = float(np.median(np.where(enters > 0, first / enters, np.where(np.isnan(enters), np.nan, 0.0))))
    middles = (float(np.median(enters)), float(np.median(first)), ratio)
    return Reach(*middles, int(np.median(np.abs(at - starts))), int(count.max()), flow.last is not None)


def _places(flow: Flow, layer: int, direction: int) -> np.ndarray:
    """(T, rows) bool: where a gradient enters this layer, as far as that can be told."""
    if flow.grad_hidden_direct is None:
        return np.abs(flow.grad_hidden[layer, direction]).max(-1) > 0
    direct = np.abs(flow.grad_hidden_direct[layer, direction]).max(-1)
    return (direct > 0) | np.isnan(direct)


def _last(there: np.ndarray, direction: int) -> np.ndarray:
    """(rows,): the last position in this direction's order of time that is true in (T, rows); -1 where none is."""
    first = there.argmax(0) if direction else len(there) - 1 - there[::-1].argmax(0)
    return np.where(there.any(0), first, -1)


def scalars_of(flows: Mapping[str, Flow], cost: Cost) -> dict[str, float]:
    """Flat numbers: for every module the best ratio of its chains, the norms it comes from, gates and proof.

    A chain whose gradient enters at its first step has no way back, and says nothing.
    """
    found: dict[str, float] = {}
    for name, flow in flows.items():
        layers, directions = flow.hidden.shape[:2]
        reaches = [reach_of(flow, layer, d) for layer in range(layers) for d in range(directions)]
        with_a_way = [reach for reach in reaches if reach.steps] or reaches
        best = max(with_a_way, key=lambda reach: np.nan_to_num(reach.ratio, nan=-1.0))
        values = {"ratio": best.ratio, "norm_enters": best.enters, "norm_first": best.first}
        if (keep := keep_gate(flow)) is not None:
            values["keep_gate"] = keep
        if flow.proof is not None:
            values["proof"] = flow.proof
        found |= {f"watch/{name}/{what}": float(value) for what, value in values.items()}
    return found | {"watch/looks": float(cost.looks), "watch/share": cost.share}


def keep_gate(flow: Flow) -> float | None:
    """The mean of the gate that keeps the old state, over all layers and real steps; None without one."""
    names = [kind.retain_gate for kind in CELLS.values() if kind.retain_gate in flow.gates]
    return float(flow.gates[names[0]][:, :, flow.valid].mean()) if names and names[0] else None


def written(report: Report) -> str:
    """All of it, a line for each thing: mistakes first, then the flows, what was refused, and what it cost."""
    lines = [f"! {mistake.kind}: {mistake}" for mistake in report.mistakes]
    for flow in report.flows.values():
        lines += _flow_lines(flow)
    lines += [f"not measured: {sentence}" for sentence in report.refusals.values()]
    if not report.flows and not report.refusals:
        lines.append("No backward pass has been looked at yet.")
    return "\n".join([*lines, f"cost: {report.cost}"])


def _flow_lines(flow: Flow) -> list[str]:
    layers, directions, steps, rows, units = flow.hidden.shape
    shape = (_number(layers, "layer"), _number(steps, "step"), f"{units} units", _number(rows, "row"))
    lines = [f"{flow.name}: {', '.join(shape)}"]
    for layer in range(layers):
        for d in range(directions):
            where = f"layer {layer}{' backwards' if d else ''}" if layers * directions > 1 else "gradient"
            lines.append(f"  {where}: {_sentence(reach_of(flow, layer, d))}")
    if (keep := keep_gate(flow)) is not None:
        half = np.log(2) / -np.log(keep) if 0 < keep < 1 else np.inf
        lines.append(f"  keep gate: {keep:.2f} on average, halves in {half:.1f} steps")
    lines += [f"  {link}" for link in flow.links if link not in ("state: zeros",)]
    if flow.proof is not None:
        lines.append(f"  proved: dL/dW differs from autograd's by {flow.proof:.0e} of its norm")
    return lines


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _sentence(reach: Reach) -> str:
    if reach.places == 0 or reach.enters == 0:
        return "none enters"
    if not np.isfinite([reach.enters, reach.first]).all():
        return "no finite number"
    if reach.steps == 0:
        return f"{reach.enters:.1e} where it enters, at the first step"
    what = "the last loss" if reach.is_last_alone and reach.places > 1 else "it"
    many = "" if reach.is_last_alone or reach.places < 2 else f", all losses of {reach.places} steps together"
    way = f"{reach.enters:.1e} where {what} enters, {reach.first:.1e} {_number(reach.steps, 'step')} back{many}"
    if reach.ratio == 0:
        return f"{way}: exactly 0 arrives"
    if 0.1 <= reach.ratio < 10:
        share = f"{reach.ratio:.0%}"
    else:
        share = f"{write_count(reach.ratio)}-fold" if reach.ratio > 1 else f"1 part in {write_count(1 / reach.ratio)}"
    return f"{way}: {WORDS[band(reach.ratio)]}, {share}"
