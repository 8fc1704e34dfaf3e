"""The text and tables of the page "Step through": the current step, its numbers, and the verification."""

from __future__ import annotations

from html import escape

import numpy as np

from app.equations import formulas
from app.figures import recurrent_weights
from app.figures.over_time import step_factors
from app.figures.step_through import Place
from engine.frame import RunInfo
from engine.number_format import short, signed
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

HEADING = "One sequence, forward and back"
LOOK_FOR = (
    "Forward: each step computes its state from the state before it. Back: each step passes the gradient to the step "
    "before it; compare what arrives, what is added, and what is passed on. Keys: → one step on, ← one step back. "
    "Click a figure to follow a unit."
)
TRACING = "The network's numbers are being computed …"
TRAINING = "The network is training …"
PAUSED = "Training is paused while this page is open."
FIRST, BACK, NEXT, LAST = "First", "Back", "Next", "Last"
CHAIN, UNIT, SOURCE, GATE = "Chain", "Follow unit", "Its weight from unit", "in the gate"
TRAIN = {1: "1 update", 100: "100 updates"}
JACOBIAN = "How a change of the state passes on: ∂{s}ₜ / ∂{s}ₜ₋₁"
JACOBIAN_NOTE = "Row: unit of this step. Column: unit of the step before. Teal −{scale:g} … purple +{scale:g}."
FIRST_UNITS = "The first {count} of {units} units are shown."
NO_LINK = "No step of this cell is linked to the one before: no state is passed on, and no gradient goes back."
NUMBERS = "The gradient at this step"
NORMS = "A norm (‖ ‖) is never negative, so norms need not add up; the numbers of one unit do."
EQUATIONS = "What the step computes"
WEIGHT = "The weight that is followed"
VERIFY = "Verify"
VERIFY_NOTE = "Compute a number again, by an independent calculation that shares only the weights with the first."
VERIFYING = "The number is being computed again …"
ENTRIES = ("the unit's gradient", "the weight's gradient", "the Jacobian's entry")
BEFORE_ALL = "There is no step before this one: the state before it was 0."


def heading(info: RunInfo, trace: SequenceTrace) -> str:
    """The network, and the number of its updates."""
    e = info.experiment
    updates = f"{trace.step:,} update{'' if trace.step == 1 else 's'}"
    return f"{info.cell_title}, {e.hidden_size} units, after {updates}. {PAUSED}"


def chain(info: RunInfo, layer: int, direction: int) -> str:
    """The name of a chain in the list of chains."""
    e = info.experiment
    parts = [f"layer {layer + 1}"] if e.num_layers > 1 else []
    parts += [("reading forwards", "reading backwards")[direction]] if e.bidirectional else []
    return ", ".join(parts)


def where(info: RunInfo, trace: SequenceTrace, place: Place) -> str:
    """The line above the figures: the direction, and the current step."""
    n = len(trace.positions)
    k = place.step(n)
    t = int(trace.positions[k])
    part = "" if not info.encoder_steps else " of the decoder" if trace.part[k] else " of the encoder"
    if place.back(n):
        return f"**Back** · t = {t}{part} · {_count(n - 1 - k)} back from the last"
    return f"**Forward** · t = {t}{part} · step {k + 1} of {n}"


def _count(steps: int) -> str:
    return "1 step" if steps == 1 else f"{steps} steps"


def reads(info: RunInfo, trace: SequenceTrace, at: int) -> str:
    """The input, the output and the loss of this step."""
    t = int(trace.positions[at])
    sentences = [f"Input: {formulas.input_label(info, trace.read[at], t)}."]
    if np.isfinite(trace.outputs[at]).all():
        sentences.append(f"Output: {_output(info, trace, at)}.")
    if trace.counted[at]:
        sentences.append(f"Loss of this step: {short(float(trace.loss[at]))}.")
    return " ".join(sentences)


def _output(info: RunInfo, trace: SequenceTrace, at: int) -> str:
    outputs = trace.outputs[at]
    if info.outputs == "values":
        numbers = ", ".join(short(float(value)) for value in outputs[:3])
        return numbers if len(outputs) <= 3 else f"{len(outputs)} numbers, {numbers} …"
    best = int(outputs.argmax())
    target = f", target `{info.output_labels[int(trace.targets[at])]}`" if trace.counted[at] else ""
    return f"`{info.output_labels[best]}` with {outputs[best]:.0%}{target}"


# ---- the numbers of the backward pass


def flow(info: RunInfo, trace: SequenceTrace, place: Place) -> str:
    """The gradient at one step as an HTML table: what arrives, what enters, the sum, what is passed on; the factor."""
    k, unit = place.step(len(trace.positions)), place.unit
    parts = {"h": (trace.later, trace.direct, trace.grad)}
    if trace.grad_cell is not None:
        assert trace.cell_later is not None and trace.cell_from_hidden is not None
        parts["c"] = (trace.cell_later, trace.cell_from_hidden, trace.grad_cell)
    rows = []
    for state, gradients in parts.items():
        rows.append(
            (f"‖dL/d{state}‖, all units", *_row(trace, k, [np.linalg.norm(part, axis=-1) for part in gradients]))
        )
        rows.append((f"unit {unit}", *_row(trace, k, [part[:, unit] for part in gradients])))
    head = ("", "arrives from the next step", "+ enters here", "= sum", "passed to the step before")
    body = "".join(
        f"<tr{' class=one' if row[0].startswith('unit') else ''}><th>{escape(row[0])}</th>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    header = "".join(f"<th>{escape(title)}</th>" for title in head)
    factor = escape(_factor(info, trace, k))
    table = f'<table class="flow"><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table>'
    return f'{table}<p class="factor">{factor}</p>'


def _row(trace: SequenceTrace, at: int, parts: list[np.ndarray]) -> list[str]:
    """The cells of one row.

    Args:
        parts: what arrives from the next step, what enters, and their sum, (n,) each.
    """
    passed_on = "cut: exactly 0" if trace.cut[at] else "–" if at == 0 else signed(float(parts[0][at - 1]))
    return [*(signed(float(values[at])) for values in parts), passed_on]


def _factor(info: RunInfo, trace: SequenceTrace, at: int) -> str:
    """What shrinks the gradient here: "0.61 = 1.02 (weights) x 0.60 (slope)", or the paths of a gated cell."""
    if at == 0:
        return BEFORE_ALL
    if trace.cut[at]:
        return "Truncation cuts the gradient here: the state was passed on, but no gradient goes back."
    f, symbol = trace.factors, info.memory_symbol
    factor = float(f.factor[at])
    if np.isnan(factor):
        return "No gradient arrives here, so none is passed on."
    if f.slope is not None and f.weights is not None:
        return (
            f"One step back multiplies the gradient's norm by {short(factor)} = {short(float(f.weights[at]))} (weights "
            f"{recurrent_weights.symbol(info)}) × {short(float(f.slope[at]))} (slope of the activation)."
        )
    if len(f.shares) == 1:
        return f"One step back multiplies the norm of dL/d{symbol} by {short(factor)}, by the only path: what is kept."
    shares = ", ".join(f"{share[at]:.0%} {step_factors.path_label(path)}" for path, share in f.shares.items())
    some_below = any(share[at] < -0.005 for share in f.shares.values())
    paths = f"By path: {shares}.{' Below 0: this path works against the others.' if some_below else ''}"
    if symbol == "c":
        return f"At the step before, dL/dc is {short(factor)} times as large, including the part through h. {paths}"
    return f"One step back multiplies the norm of dL/d{symbol} by {short(factor)}. {paths}"


# ---- the weight that is followed


def gates(info: RunInfo) -> tuple[str, ...]:
    """The names of the blocks of W_hh for the screen; a single block without a name for a plain cell."""
    return tuple(gate.replace("_", " ") for gate in info.cell_kind.gates)


def row(info: RunInfo, place: Place) -> int:
    """The row of weight_hh that leads to the followed unit, in the followed gate."""
    return place.gate * info.hidden_size + place.unit


def weight(info: RunInfo, trace: SequenceTrace, place: Place) -> str:
    """The value of the followed weight, what this step adds to its gradient, and the sum of the steps so far."""
    assert trace.weight_hh is not None and trace.entering_state is not None
    n = len(trace.positions)
    k, at, column = place.step(n), row(info, place), place.source
    part = int(trace.part[k])
    value = float(trace.weight_hh[part, at, column])
    slopes = trace.entering_state[:, at]
    before = trace.state_argument(place.gate)[:, column].astype(float)
    terms = np.where(trace.part == part, slopes * before, 0)
    whole = float(terms.sum())
    name = f"W_hh[{at}, {column}]"
    sentences = [f"{name}, from unit {column} of the step before to unit {place.unit}: it is {signed(value)}."]
    if place.back(n):
        sentences.append(
            f"This step adds dL/da × h = {signed(float(slopes[k]))} × {signed(float(before[k]))} = "
            f"**{signed(float(terms[k]))}** to its gradient. Sum of the steps so far, from the last one back: "
            f"{signed(float(terms[k:].sum()))} of {signed(whole)} for all steps. All steps share the weight, so their "
            "gradients are added."
        )
    else:
        sentences.append(
            f"Here it adds h × w = {signed(float(before[k]))} × {signed(value)} = "
            f"**{signed(float(before[k]) * value)}** to the sum."
        )
    return " ".join(sentences)


# ---- verify


def entries(info: RunInfo, trace: SequenceTrace, place: Place) -> dict[str, GradientEntry]:
    """The numbers on the page that can be verified, by the names of ENTRIES."""
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
        ("On this page, from the running network (float32)", f"{result.value:.8e}"),
        ("The same calculation in float64", f"{result.value64:.12e}"),
        ("Independently, in float64", f"{result.independent:.12e}"),
        ("Relative error of the calculation", _error(result.relative_error)),
        ("Relative error of the number on this page", _error(result.relative_error32)),
    ]


def agrees(result: Verification) -> str:
    """Whether the calculations agree, in a sentence."""
    if not result.relative_error <= max(AGREES, 10 * result.uncertainty):
        return "They do not agree: one of the two is wrong, or neither is precise enough for this number."
    if result.relative_error == 0 and result.relative_error32 == 0:
        return "Both calculations give exactly the same number."
    sentence = f"Both calculations agree to {_digits(result.relative_error)}."
    if result.relative_error32 > result.relative_error:
        sentence += (
            f" The network trains in float32: of its number on this page, {_digits(result.relative_error32)} are right."
        )
    return sentence


def _digits(error: float) -> str:
    count = int(-np.log10(min(max(error, 1e-16), 1.0)))
    return "1 digit" if count == 1 else f"{count} digits"


def _error(value: float) -> str:
    if not np.isfinite(value):
        return "not comparable: one of them is 0"
    return "0, both are exactly the same" if value == 0 else f"{value:.1e}"


def how(result: Verification) -> str:
    """The independent calculation that was used, and why."""
    if result.method == CENTRAL_DIFFERENCES:
        return (
            f"By central differences: the value was changed up and down by at most {result.width:.0e}, in "
            f"{result.runs} runs of a plain loop over the sequence. Their estimated relative error is "
            f"{result.uncertainty:.0e}."
        )
    return f"By PyTorch's autograd on a plain loop over the sequence, {REASONS.get(result.reason, result.reason)}."
