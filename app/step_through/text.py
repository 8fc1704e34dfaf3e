"""What the page "Step through" says: where one stands, what goes on there, and what was verified."""

from __future__ import annotations

from html import escape

import numpy as np

from app.equations import formulas
from app.figures.step_through import Place
from engine.cells import CELLS
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
    "Going forward, each step computes its state from the step before. Coming back, each step hands the gradient on: "
    "watch what arrives, what enters, and what is left. → goes on, ← takes it back; press a picture to follow a unit."
)
WALKING = "The network's numbers are on their way …"
TRAINING = "The network learns …"
PAUSED = "It is paused while you are here."
FIRST, BACK, NEXT, LAST = "First", "Back", "Next", "Last"
CHAIN, UNIT, SOURCE, GATE = "Chain", "Follow unit", "Its weight from unit", "in the gate"
TRAIN = {1: "1 update", 100: "100 updates"}
JACOBIAN = "How a change passes on: ∂{s}ₜ / ∂{s} of the step before"
JACOBIAN_NOTE = "Row: unit of this step. Column: unit of the step before. Orange −{scale:g} … purple +{scale:g}."
FIRST_UNITS = "Shown are the first {count} of {units} units."
NO_LINK = "No step of this cell is linked to the one before: nothing passes on, and no gradient goes back."
NUMBERS = "What the gradient does here"
NORMS = "A size (‖ ‖) is never negative, so sizes need not add up; the numbers of one unit do."
EQUATIONS = "What the step computes"
WEIGHT = "The weight that is followed"
VERIFY = "Verify"
VERIFY_NOTE = "Repeat a number by another calculation, which shares nothing with the first but the weights."
VERIFYING = "The number is being repeated …"
CLAIMS = ("the unit's gradient", "the weight's gradient", "the Jacobian's entry")
BEFORE_ALL = "There is no step before this one: the state before it was 0."


def heading(info: RunInfo, trace: SequenceTrace) -> str:
    """Which network, at which moment of training."""
    e = info.experiment
    updates = f"{trace.step:,} update{'' if trace.step == 1 else 's'}"
    return f"{info.cell_title}, {e.hidden_size} units, after {updates}. {PAUSED}"


def chain(info: RunInfo, layer: int, direction: int) -> str:
    """The name of a chain in a list of all."""
    e = info.experiment
    parts = [f"layer {layer + 1}"] if e.num_layers > 1 else []
    parts += [("reading forwards", "reading backwards")[direction]] if e.bidirectional else []
    return ", ".join(parts)


def where(info: RunInfo, trace: SequenceTrace, place: Place) -> str:
    """The line above everything: the way one goes, and the step one stands at."""
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
    """What goes in and what comes out at this step, and the loss that it costs."""
    t = int(trace.positions[at])
    sentences = [f"Reads {formulas.input_label(info, trace.read[at], t)}."]
    if np.isfinite(trace.outputs[at]).all():
        sentences.append(f"Says {_output(info, trace, at)}.")
    if trace.counted[at]:
        sentences.append(f"Loss of this step: {short(float(trace.loss[at]))}.")
    return " ".join(sentences)


def _output(info: RunInfo, trace: SequenceTrace, at: int) -> str:
    outputs = trace.outputs[at]
    if info.outputs == "values":
        numbers = ", ".join(short(float(value)) for value in outputs[:3])
        return numbers if len(outputs) <= 3 else f"{len(outputs)} numbers, {numbers} …"
    best = int(outputs.argmax())
    asked = f", asked for `{info.output_labels[int(trace.targets[at])]}`" if trace.counted[at] else ""
    return f"`{info.output_labels[best]}` with {outputs[best]:.0%}{asked}"


# ---- the numbers of the way back


def flow(info: RunInfo, trace: SequenceTrace, place: Place) -> str:
    """An HTML table: what arrives from later, what enters, what that makes, the factor, and what is handed on."""
    k, unit = place.step(len(trace.positions)), place.unit
    accounts = {"h": (trace.later, trace.direct, trace.grad)}
    if trace.grad_cell is not None:
        assert trace.cell_later is not None and trace.cell_from_hidden is not None
        accounts["c"] = (trace.cell_later, trace.cell_from_hidden, trace.grad_cell)
    rows = []
    for state, account in accounts.items():
        rows.append(
            (f"‖dL/d{state}‖, all units", *_row(trace, k, [np.linalg.norm(gradient, axis=-1) for gradient in account]))
        )
        rows.append((f"unit {unit}", *_row(trace, k, [gradient[:, unit] for gradient in account])))
    head = ("", "arrives from the step after", "+ enters here", "= together", "is handed to the step before")
    body = "".join(
        f"<tr{' class=one' if row[0].startswith('unit') else ''}><th>{escape(row[0])}</th>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    header = "".join(f"<th>{escape(title)}</th>" for title in head)
    factor = escape(_factor(trace, info.memory_symbol, k))
    table = f'<table class="flow"><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table>'
    return f'{table}<p class="factor">{factor}</p>'


def _row(trace: SequenceTrace, at: int, account: list[np.ndarray]) -> list[str]:
    """What arrives, enters and is there at this step, (n,) each, and what arrives at the step before."""
    handed_on = "cut: exactly 0" if trace.cut[at] else "–" if at == 0 else signed(float(account[0][at - 1]))
    return [*(signed(float(values[at])) for values in account), handed_on]


def _factor(trace: SequenceTrace, symbol: str, at: int) -> str:
    """Who shrank it: "0.61 = 1.02 (weights) x 0.60 (slope)", or the roads of a gated cell."""
    if at == 0:
        return BEFORE_ALL
    if trace.cut[at]:
        return "Truncation cuts the link to the step before: the state was carried on, no gradient goes back."
    f = trace.factors
    factor = float(f.factor[at])
    if np.isnan(factor):
        return "No gradient arrives here, so there is nothing to hand on."
    if f.slope is not None and f.weights is not None:
        return (
            f"One step back leaves {short(factor)} of it = {short(float(f.weights[at]))} (weights W_hh) × "
            f"{short(float(f.slope[at]))} (slope of the activation)."
        )
    shares = ", ".join(f"{share[at]:.0%} {path}" for path, share in f.shares.items())
    some_below = any(share[at] < -0.005 for share in f.shares.values())
    paths = f"By road: {shares}.{' Below 0: that road works against the others.' if some_below else ''}"
    if symbol == "c":
        return f"At the step before, dL/dc is {short(factor)} times as large, with what comes back through h. {paths}"
    return f"One step back leaves {short(factor)} of dL/d{symbol}. {paths}"


# ---- the weight that is followed


def gates(info: RunInfo) -> tuple[str, ...]:
    """The blocks of W_hh, as a person names them; one without a name for a plain cell."""
    return tuple(gate.replace("_", " ") for gate in CELLS[info.experiment.cell].gates)


def row(info: RunInfo, place: Place) -> int:
    """The row of weight_hh that leads to the followed unit, in the followed gate."""
    return place.gate * info.experiment.hidden_size + place.unit


def weight(info: RunInfo, trace: SequenceTrace, place: Place) -> str:
    """Its value, what this step adds to its gradient, and the sum so far on the way back."""
    assert trace.weight_hh is not None and trace.entering_state is not None
    n = len(trace.positions)
    k, at, column = place.step(n), row(info, place), place.source
    part = int(trace.part[k])
    value = float(trace.weight_hh[part, at, column])
    slopes = trace.entering_state[:, at]
    before = trace.hidden_before[:, column].astype(float)
    terms = np.where(trace.part == part, slopes * before, 0)
    whole = float(terms.sum())
    name = f"W_hh[{at}, {column}]"
    sentences = [f"{name}, from unit {column} of the step before to unit {place.unit}: it is {signed(value)}."]
    if place.back(n):
        sentences.append(
            f"This step teaches it dL/da × h = {signed(float(slopes[k]))} × {signed(float(before[k]))} = "
            f"**{signed(float(terms[k]))}**. All steps so far on the way back: {signed(float(terms[k:].sum()))} of "
            f"{signed(whole)} in the end: the weight is shared, so every step's wish is added up."
        )
    else:
        sentences.append(
            f"Here it carries h × w = {signed(float(before[k]))} × {signed(value)} = "
            f"**{signed(float(before[k]) * value)}** into the sum."
        )
    return " ".join(sentences)


# ---- verify


def claims(info: RunInfo, trace: SequenceTrace, place: Place) -> dict[str, GradientEntry]:
    """The numbers on the page that can be repeated, by the names of CLAIMS."""
    k = place.step(len(trace.positions))
    chain = {"layer": trace.layer, "direction": trace.direction}
    t = int(trace.positions[k])
    offered: dict[str, GradientEntry] = {CLAIMS[0]: StateEntry(**chain, position=t, unit=place.unit)}
    if trace.weight_hh is not None:
        part = int(trace.part[k])
        offered[CLAIMS[1]] = WeightEntry(**chain, row=row(info, place), column=place.source, part=part)
    if trace.jacobians is not None and k > 0 and {place.unit, place.source} <= set(trace.units.tolist()):
        offered[CLAIMS[2]] = JacobianEntry(**chain, position=t, row=place.unit, column=place.source)
    return offered


def claimed(what: GradientEntry) -> str:
    """The number that was repeated, in symbols."""
    if isinstance(what, StateEntry):
        return f"dL/d{what.state} of unit {what.unit} at t = {what.position}"
    if isinstance(what, WeightEntry):
        return f"dL/dW_hh[{what.row}, {what.column}], the sum over all steps"
    return f"∂h[{what.row}] at t = {what.position} by ∂h[{what.column}] of the step before"


REASONS = {
    VANISHED: "because a difference of so small a gradient would be noise",
    TRUNCATED: "because truncation cuts the gradient, but not the state that a nudge would change",
    UNSURE: "because differences of several widths do not agree here",
    SLOW: "because the loop would take too long for so many runs",
}


AGREES = 1e-6
"""Relative: two calculations in float64 that differ by less have the same number, rounded."""


def verified(result: Verification) -> list[tuple[str, str]]:
    """Rows of (what, number)."""
    return [
        ("On this page, from the running network (float32)", f"{result.value:.8e}"),
        ("The same calculation in float64", f"{result.value64:.12e}"),
        ("Independently, in float64", f"{result.independent:.12e}"),
        ("Relative error of the calculation", _error(result.relative_error)),
        ("Relative error of the number on this page", _error(result.relative_error32)),
    ]


def agrees(result: Verification) -> str:
    """What follows from the errors, in a sentence."""
    if not result.relative_error <= max(AGREES, 10 * result.uncertainty):
        return "They do not agree: one of the two calculations is wrong, or the number is beyond what either can tell."
    if result.relative_error == 0 and result.relative_error32 == 0:
        return "Both calculations give exactly the same."
    sentence = f"Both calculations agree to {_digits(result.relative_error)}."
    if result.relative_error32 > result.relative_error:
        sentence += (
            f" This page shows float32, as the network is trained: {_digits(result.relative_error32)} of it are right."
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
    """By which calculation, and why by this one."""
    if result.method == CENTRAL_DIFFERENCES:
        return (
            f"By central differences: nudged up and down by at most {result.width:.0e}, and the plain loop over the "
            f"sequence run {result.runs} times. By their own estimate {result.uncertainty:.0e} of it stays open."
        )
    return (
        f"By PyTorch's autograd through the plain loop over the sequence, {REASONS.get(result.reason, result.reason)}."
    )
