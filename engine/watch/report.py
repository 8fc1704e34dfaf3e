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
    """How far the gradient comes in one layer and direction: medians over the rows of norms of dL/d(memory).

    Args:
        enters, ends: positions; where the last gradient enters (in the direction's own order), and its first step.
        size, rest: the norms there. places: at how many steps gradients enter.
    """

    enters: int
    ends: int
    size: float
    rest: float
    places: int

    @property
    def ratio(self) -> float:
        """What is left; NaN if none enters."""
        return self.rest / self.size if self.size > 0 else np.nan


def reach_of(flow: Flow, layer: int, direction: int) -> Reach:
    """Follow the gradient of one layer and direction back to its first step."""
    norms = np.where(flow.valid.any(1), flow.norms[layer, direction], 0.0)
    places = np.flatnonzero(norms != 0)
    if flow.grad_hidden_direct is not None:
        direct = np.abs(np.nan_to_num(flow.grad_hidden_direct[layer, direction], nan=1.0)).max((-1, -2))
        places = np.flatnonzero(direct > 0)
    order = np.arange(len(norms))[:: -1 if direction else 1]
    inside = [t for t in order if t in set(places.tolist())]
    enters = int(inside[-1]) if inside else int(order[-1])
    return Reach(enters, int(order[0]), float(norms[enters]), float(norms[order[0]]), len(places))


def scalars_of(flows: Mapping[str, Flow], cost: Cost) -> dict[str, float]:
    """Flat numbers: for every module the best ratio of its chains, the norms it comes from, gates and proof."""
    found: dict[str, float] = {}
    for name, flow in flows.items():
        layers, directions = flow.hidden.shape[:2]
        reaches = [reach_of(flow, layer, d) for layer in range(layers) for d in range(directions)]
        best = max(reaches, key=lambda reach: np.nan_to_num(reach.ratio, nan=-1.0))
        values = {"ratio": best.ratio, "norm_enters": best.size, "norm_first": best.rest}
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
        lines.append(f"  proved: dL/dW differs from .grad by {flow.proof:.0e} of its norm")
    return lines


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _sentence(reach: Reach) -> str:
    if not np.isfinite([reach.size, reach.rest]).all():
        return "no finite number"
    if reach.size == 0:
        return "none enters"
    if reach.enters == reach.ends:
        return f"{reach.size:.1e} at t = {reach.ends}, where it enters"
    many = f" (enters at {reach.places} steps: short ways dominate)" if reach.places > 1 else ""
    way = f"{reach.size:.1e} at t = {reach.enters} -> {reach.rest:.1e} at t = {reach.ends}{many}"
    if reach.rest == 0:
        return f"{way}: exactly 0 arrives"
    if 0.1 <= reach.ratio < 10:
        share = f"{reach.ratio:.0%}"
    else:
        share = f"{write_count(reach.ratio)}-fold" if reach.ratio > 1 else f"1 part in {write_count(1 / reach.ratio)}"
    return f"{way}: {WORDS[band(reach.ratio)]}, {share}"
