"""What is said of a number that is computed again, independently: which there are at a place, and how they agree."""

from __future__ import annotations

import numpy as np

from app.step_through.place import Place
from app.step_through.text import row
from engine.frame import RunInfo
from engine.number_format import count
from engine.step_through.sequence_trace import SequenceTrace
from engine.step_through.verification_result import (
    CENTRAL_DIFFERENCES,
    SLOW,
    TRUNCATED,
    UNSURE,
    VANISHED,
    GradientEntry,
    JacobianEntry,
    StateEntry,
    Verification,
    WeightEntry,
)

VERIFYING = "The number is being computed again …"
ENTRIES = ("the unit's gradient", "the weight's gradient", "the Jacobian's entry")


def entries(info: RunInfo, trace: SequenceTrace, place: Place) -> dict[str, GradientEntry]:
    """The numbers at a place that can be verified, by the names of ENTRIES."""
    k = place.step(len(trace.positions))
    chain = {"layer": trace.layer, "direction": trace.direction}
    t = int(trace.positions[k])
    offered: dict[str, GradientEntry] = {ENTRIES[0]: StateEntry(**chain, position=t, unit=place.unit)}
    if trace.weight_hh is not None:
        part = int(trace.part[k])
        offered[ENTRIES[1]] = WeightEntry(**chain, row=row(info, place), column=place.source, part=part)
    if trace.jacobians is not None and k > 0 and {place.unit, place.source} <= set(trace.units.tolist()):
        offered[ENTRIES[2]] = JacobianEntry(**chain, position=t, row=place.unit, column=place.source)
    return offered


def entry_symbol(what: GradientEntry) -> str:
    """The number that was verified, in symbols."""
    if isinstance(what, StateEntry):
        return f"dL/d{what.state} of unit {what.unit} at t = {what.position}"
    if isinstance(what, WeightEntry):
        return f"dL/dW_hh[{what.row}, {what.column}], the sum over all steps"
    return f"∂h[{what.row}] at t = {what.position} by ∂h[{what.column}] of the step before"


REASONS = {
    VANISHED: "because the gradient is so small that a finite difference would be noise",
    TRUNCATED: "because truncation cuts the gradient, but a finite difference would not see this cut",
    UNSURE: "because finite differences with several step sizes do not agree here",
    SLOW: "because finite differences would need too many runs of the loop",
}


AGREES = 1e-6
"""Relative difference below which two calculations in float64 agree up to rounding."""


def verification_rows(result: Verification) -> list[tuple[str, str]]:
    """Rows of (label, number)."""
    return [
        ("On the screen, float32", f"{result.value:.8e}"),
        ("Same calculation, float64", f"{result.value64:.12e}"),
        ("Independently, float64", f"{result.independent:.12e}"),
        ("Relative error, calculation", _error(result.relative_error)),
        ("Relative error, on the screen", _error(result.relative_error32)),
    ]


def agrees(result: Verification) -> str:
    """Whether the calculations agree, in a sentence."""
    if not result.relative_error <= max(AGREES, 10 * result.uncertainty):
        return "They do not agree: one of the two is wrong, or neither is precise enough for this number."
    if result.relative_error == 0 and result.relative_error32 == 0:
        return "Both calculations give exactly the same number."
    sentence = f"Both calculations agree to {_digits(result.relative_error)}."
    if result.relative_error32 > result.relative_error:
        right = _digits(result.relative_error32)
        sentence += f" The network trains in float32: of its number on the screen {right} are right."
    return sentence


def _digits(error: float) -> str:
    return count(int(-np.log10(min(max(error, 1e-16), 1.0))), "digit")


def _error(value: float) -> str:
    if not np.isfinite(value):
        return "not comparable: one is 0"
    return "0: exactly the same" if value == 0 else f"{value:.1e}"


def how(result: Verification) -> str:
    """The independent calculation that was used, and why."""
    if result.method == CENTRAL_DIFFERENCES:
        return (
            f"By central differences: the value was changed up and down by at most {result.width:.0e}, in "
            f"{result.runs} runs of a plain loop over the sequence. Their estimated relative error is "
            f"{result.uncertainty:.0e}."
        )
    return f"By PyTorch's autograd on a plain loop over the sequence, {REASONS.get(result.reason, result.reason)}."
