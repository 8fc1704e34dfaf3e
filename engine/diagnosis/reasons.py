"""Why the gradient shrinks or grows on its way: the weights, the slopes or the gates, step by step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.cells import CELLS
from engine.diagnosis.text import share, steps
from engine.frame import Frame, RunInfo
from engine.frame.readings import saturation

MOST = 0.5  # of the units: more than this share is "most of them"
ALMOST_ALL = 0.9  # what passes more than this at each step is not small by itself: there are many steps


@dataclass(frozen=True)
class Reason:
    """What shrinks it, or makes it grow, most.

    Args:
        by: "weights", "slopes", "saturated" (slopes of units that are at their limits) or "gates".
        said: the same in words, from the longest to the shortest, without the full stop.
    """

    by: str
    said: tuple[str, ...]


def best_chain(info: RunInfo, frame: Frame) -> tuple[int, int]:
    """(layer, direction) in which most of the gradient arrives: one open road is enough, if it leads to the answer."""
    skipped = 1 if info.looks_ahead and frame.ratio.shape[1] == 2 else 0  # the chain that reads forwards leads away
    layer, direction = np.unravel_index(int(np.argmax(frame.ratio[:, skipped:])), frame.ratio[:, skipped:].shape)
    return int(layer), int(direction) + skipped


def way(info: RunInfo, direction: int) -> np.ndarray:
    """The steps t whose step back lies between the loss and the step that matters, of the drawn sequence.

    As the ratio has them: the reverse direction goes back from where it ends (many to one) or from the first loss.
    """
    counted, valid = np.flatnonzero(info.counted), np.array(info.valid)
    last = int(counted[-1])
    relevant = max(last - info.measured_lag, 0)
    if not direction:
        between = np.arange(relevant + 1, last + 1)
    elif info.experiment.rnn_type == "many_to_one":
        between = np.arange(relevant)
    else:
        first = int(counted[0])
        between = np.arange(first, min(first + info.measured_lag, int(valid.sum()) - 1))
    return between[valid[between]]


def per_step(info: RunInfo, frame: Frame, chain: tuple[int, int]) -> dict[str, float]:
    """What one step back does on average along the way, of the drawn sequence; what is not defined is left out.

    Returns:
        slope_per_step, weights_per_step: geometric means of `Frame.factors`. saturated: the share of the units on the
        way that are at their limits. kept_per_step: mean of the gate that keeps the old state. Plain cells have the
        first three, gated ones the last.
    """
    cell, (layer, direction), found = CELLS[info.experiment.cell], chain, {}
    between = way(info, direction)
    if not info.has_links or not len(between):
        return {}
    if cell.retain_gate is not None:
        found["kept_per_step"] = float(frame.gates[cell.retain_gate][layer, direction, between].mean())
    if cell.uses_nonlinearity:
        states = frame.hidden[layer, direction, between]
        found["saturated"] = float(saturation(states, info.experiment.nonlinearity).mean())
    for name, factors in (("slope_per_step", frame.factors.slope), ("weights_per_step", frame.factors.weights)):
        if factors is not None and (mean := _geometric_mean(factors[layer, direction, between])) is not None:
            found[name] = mean
    return found


def shrinks_by(info: RunInfo, ratio: float, numbers: dict[str, float]) -> Reason | None:
    """Who takes most of it away; None where these numbers do not account for at least half of the decades."""
    if "kept_per_step" in numbers:
        kept = numbers["kept_per_step"]
        return _by_gates(info, kept) if _accounts(kept, info.measured_lag_unpadded, ratio) else None
    if not {"slope_per_step", "weights_per_step"} <= numbers.keys():
        return None
    slope, weights = numbers["slope_per_step"], numbers["weights_per_step"]
    if not _accounts(slope * weights, info.measured_lag_unpadded, ratio):
        return None
    if slope < weights:
        return _by_slopes(info, slope, weights, numbers["saturated"])
    if weights < ALMOST_ALL:
        numbered = f"Small weights pass {share(weights)} a step, slopes {share(slope)}"
        return Reason("weights", (numbered, "The weights are small"))
    over = steps(info.measured_lag_unpadded)
    numbered = f"Weights pass {share(weights)} a step, slopes {share(slope)}: too little over {over}"
    return Reason("weights", (numbered, f"Weights pass {share(weights)} a step: too little"))


def grows_by(info: RunInfo, ratio: float, numbers: dict[str, float], layer: int) -> Reason | None:
    """Who makes it grow; None where these numbers do not account for at least half of the decades."""
    if info.gates:
        if layer < info.experiment.num_layers - 1:
            return None  # it may have come from the layer above
        return Reason("weights", ("the recurrent weights do it, no gate can", "by the recurrent weights"))
    if not {"slope_per_step", "weights_per_step"} <= numbers.keys():
        return None
    slope, weights = numbers["slope_per_step"], numbers["weights_per_step"]
    if not _accounts(slope * weights, info.measured_lag_unpadded, ratio):
        return None
    stretch = f"the weights stretch it {weights:.3g}-fold a step"
    return Reason("weights", (f"{stretch}, slopes pass {share(slope)}", stretch) if slope < 0.995 else (stretch,))


def _by_gates(info: RunInfo, kept: float) -> Reason:
    """How far the gate that keeps the old state is shut."""
    gates = f"{CELLS[info.experiment.cell].retain_gate}s".replace("_", " ")
    if kept >= 0.75:
        numbered = f"keep {share(kept)} a step: too little"
        return Reason(
            "gates", (f"The {gates} {numbered} over {steps(info.measured_lag_unpadded)}", f"Gates {numbered}")
        )
    shut = "Nearly shut" if kept < 0.25 else "Half-shut"
    numbered = f"keep {share(kept)} a step"
    return Reason("gates", (f"{shut} {gates} {numbered}", f"{shut} gates {numbered}", f"{shut} gates"))


def _by_slopes(info: RunInfo, slope: float, weights: float, saturated: float) -> Reason:
    """Slopes are small where units are at their limits, and those of a sigmoid everywhere."""
    kind, by = info.experiment.nonlinearity, "saturated" if saturated > MOST else "slopes"
    passed = f"pass {share(slope)} a step"
    if kind == "relu" and saturated:
        at_zero = f"{share(saturated)} of the ReLUs are at 0"
        return Reason(by, (f"{at_zero}: slopes {passed}, weights {share(weights)}", at_zero))
    if saturated > MOST:
        limits = f"{share(saturated)} of the units are saturated"
        return Reason(by, (f"{limits}: slopes {passed}, weights {share(weights)}", limits))
    if kind == "sigmoid":
        numbered = f"Sigmoid slopes {passed} (25% at most), weights {share(weights)}"
        return Reason(by, (numbered, f"Sigmoid slopes {passed}, at most 25%"))
    if slope < ALMOST_ALL:
        return Reason(by, (f"Flat slopes {passed}, weights {share(weights)}", f"Flat slopes {passed}"))
    numbered = f"Slopes {passed}, weights {share(weights)}: too little over {steps(info.measured_lag_unpadded)}"
    return Reason(by, (numbered, f"Slopes {passed}: too little"))


def _accounts(factor: float, count: int, ratio: float) -> bool:
    """True if so many steps with this factor make at least half of the ratio's decades, in its direction."""
    grown, decades = count * math.log(factor) if factor > 0 else -math.inf, math.log(ratio)
    return grown / decades >= 0.5


def _geometric_mean(factors: np.ndarray) -> float | None:
    """Of those that are defined; None where none is, or one is 0: the drawn sequence's gradient ends there."""
    factors = factors[np.isfinite(factors)]
    if not len(factors) or (factors == 0).any():
        return None
    return float(np.exp(np.log(factors).mean()))
