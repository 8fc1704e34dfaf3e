"""Why the gradient shrinks or grows on its way back in time: weights, slopes or gates, per step."""

from __future__ import annotations

import math

import numpy as np

from engine.diagnosis.text import share, steps
from engine.frame import Chain, Look
from engine.frame.readings import GradientNorms, saturation

MAJORITY = 0.5  # share of the units above which it is "most of them"
ALMOST_ALL = 0.9  # a factor per step above this is not small by itself; the number of steps is the cause


Reason = tuple[str, ...]
"""The main cause of shrinking or growth in words, from the longest to the shortest, without the full stop."""


def best_chain(info: Chain, frame: GradientNorms) -> tuple[int, int]:
    """(layer, direction) with the largest ratio: it is enough if the gradient gets through one chain."""
    skipped = (
        1 if info.looks_ahead and frame.ratio.shape[1] == 2 else 0
    )  # the forward direction does not read the deciding input
    layer, direction = np.unravel_index(int(np.argmax(frame.ratio[:, skipped:])), frame.ratio[:, skipped:].shape)
    return int(layer), int(direction) + skipped


def steps_between(info: Chain, direction: int) -> np.ndarray:
    """The steps t over which the gradient goes back from the loss to the deciding step, in the drawn sequence.

    Chosen as for the ratio: the reverse direction starts where it ends (many to one, or an encoder) or at the first
    loss. Those of a decoder do not count for it.
    """
    counted, valid = np.flatnonzero(info.counted), info.is_real(direction)
    last = int(counted[-1])
    relevant = max(last - info.measured_lag, 0)
    if not direction:
        between = np.arange(relevant + 1, last + 1)
    elif info.answers_once or info.encoder_steps:
        between = np.arange(min(relevant, info.steps_of(direction)))
    else:
        first = int(counted[0])
        between = np.arange(first, min(first + info.reverse_lag, int(valid.sum()) - 1))
    return between[valid[between]]


def per_step(info: Chain, frame: Look, chain: tuple[int, int], between: np.ndarray) -> dict[str, float]:
    """Average effect of one step back in time on the gradient of the drawn sequence; undefined values are left out.

    Args:
        chain: (layer, direction). between: the steps that the gradient goes back from.

    Returns:
        slope_per_step, weights_per_step: geometric means of `Frame.factors`. saturated: the share of saturated
        states in these steps. kept_per_step: mean of the gate that keeps the old state. Plain cells have the first
        three, gated ones the last.
    """
    cell, (layer, direction), numbers = info.cell_kind, chain, {}
    if not info.has_links or not len(between):
        return {}
    if cell.retain_gate is not None:
        kept = frame.gates[cell.retain_gate][layer, direction, between]
        numbers["kept_per_step"] = float(np.abs(kept).mean())  # a factor may be negative
    if info.activation is not None:
        states = frame.hidden[layer, direction, between]
        numbers["saturated"] = float(saturation(states, info.activation).mean())
    for name, factors in (("slope_per_step", frame.factors.slope), ("weights_per_step", frame.factors.weights)):
        if factors is not None and (mean := _geometric_mean(factors[layer, direction, between])) is not None:
            numbers[name] = mean
    return numbers


def shrinks_by(info: Chain, ratio: float, numbers: dict[str, float], count: int) -> Reason:
    """The main cause of shrinking; empty if these numbers explain less than half of the ratio's decades.

    Args:
        numbers: from `per_step`. count: the steps that the gradient goes back.
    """
    if "kept_per_step" in numbers:
        kept = numbers["kept_per_step"]
        return _by_gates(info, kept, count) if _accounts(kept, count, ratio) else ()
    if not {"slope_per_step", "weights_per_step"} <= numbers.keys():
        return ()
    slope, weights = numbers["slope_per_step"], numbers["weights_per_step"]
    if not _accounts(slope * weights, count, ratio):
        return ()
    if slope < weights:
        return _by_slopes(info, slope, weights, numbers["saturated"], count)
    if weights < ALMOST_ALL:
        numbered = f"Small weights pass {share(weights)} per step, slopes {share(slope)}"
        return (numbered, "The weights are small")
    over = steps(count)
    numbered = f"Weights pass {share(weights)} per step, slopes {share(slope)}: too little over {over}"
    return (numbered, f"Weights pass {share(weights)} per step: too little")


def grows_by(info: Chain, ratio: float, numbers: dict[str, float], layer: int, count: int) -> Reason:
    """The main cause of growth; empty if these numbers explain less than half of the ratio's decades."""
    if info.gates:
        if layer < info.num_layers - 1:
            return ()  # the growth may come from the layer above
        return ("the recurrent weights cause it, a gate cannot", "by the recurrent weights")
    if not {"slope_per_step", "weights_per_step"} <= numbers.keys():
        return ()
    slope, weights = numbers["slope_per_step"], numbers["weights_per_step"]
    if not _accounts(slope * weights, count, ratio):
        return ()
    stretch = f"the weights stretch it {weights:.3g}-fold per step"
    return (f"{stretch}, slopes pass {share(slope)}", stretch) if slope < 0.995 else (stretch,)


def _by_gates(info: Chain, kept: float, count: int) -> Reason:
    """The reason, where the gate that keeps the old state lets too little through."""
    gates = f"{info.cell_kind.retain_gate}s".replace("_", " ")
    if kept >= 0.75:
        over = steps(count)
        numbered = f"keep {share(kept)} per step: too little"
        return (f"The {gates} {numbered} over {over}", f"The gates {numbered}")
    opened = "nearly shut" if kept < 0.25 else "half open"
    numbered = f"{opened}, keep {share(kept)} per step"
    return (f"The {gates}, {numbered}", f"The gates, {numbered}", f"The gates are {opened}")


def _by_slopes(info: Chain, slope: float, weights: float, saturated: float, count: int) -> Reason:
    """The reason, where slopes are small: units are saturated, or the slopes are those of a sigmoid, at most 1/4."""
    kind = info.activation
    passed = f"pass {share(slope)} per step"
    if kind == "relu" and saturated:
        at_zero = f"{share(saturated)} of the ReLUs are at 0"
        return (f"{at_zero}: slopes {passed}, weights {share(weights)}", at_zero)
    if saturated > MAJORITY:
        limits = f"{share(saturated)} of the units are saturated"
        return (f"{limits}: slopes {passed}, weights {share(weights)}", limits)
    if kind == "sigmoid":
        numbered = f"Sigmoid slopes {passed} (25% at most), weights {share(weights)}"
        return (numbered, f"Sigmoid slopes {passed}, at most 25%")
    if slope < ALMOST_ALL:
        return (f"Flat slopes {passed}, weights {share(weights)}", f"Flat slopes {passed}")
    numbered = f"Slopes {passed}, weights {share(weights)}: too little over {steps(count)}"
    return (numbered, f"Slopes {passed}: too little")


def _accounts(factor: float, count: int, ratio: float) -> bool:
    """True if `count` steps with this factor explain at least half of log(ratio), with the same sign."""
    grown, decades = count * math.log(factor) if factor > 0 else -math.inf, math.log(ratio)
    return grown / decades >= 0.5


def _geometric_mean(factors: np.ndarray) -> float | None:
    """The geometric mean of the finite factors; None if there are none, or one is 0: the gradient ends there."""
    factors = factors[np.isfinite(factors)]
    if not len(factors) or (factors == 0).any():
        return None
    return float(np.exp(np.log(factors).mean()))
