"""What is said at one place of a sequence that is stepped through: what happens, its numbers, and verifications."""

from __future__ import annotations

import numpy as np

from app.figures import recurrent_weights, theme
from app.figures.over_time import step_factors
from app.step_through.place import Place
from engine.frame import RunInfo
from engine.number_format import count, short, signed
from engine.step_through.sequence_trace import SequenceTrace

MAX_CHANNELS = 3
JACOBIAN_SCALES = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 25.0, 1e3, 1e6)
LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

TRACING = "The network's numbers are being computed …"
ONLY_LIVE = "The steps are computed with the network as it is now: choose “live” to see them."
JACOBIAN_NOTE = "Row: unit of this step; column: of the step before. Teal −{scale:g}, purple +{scale:g}."
OF_EACH_STATE = "First h, then c."
FIRST_UNITS = "The first {count} of {units} units are shown."
NO_LINK = "No step of this cell is linked to the one before: no state is passed on, and no gradient goes back."
HEAD = ("", "arrives", "+ enters here", "= sum", "passed on")
NORMS = "A norm ‖ ‖ is never negative, so norms need not add up; the numbers of one unit do."
SEVERAL = "The numbers are of all losses of this sequence together; the ribbon follows the last one."
SHARED = "All steps share the weight, so what they add is summed."
CUT = "Truncation cuts the gradient here: the state was passed on, but no gradient goes back."
BEFORE_ALL = "There is no step before this one: the state before it was 0."


# ---- where one is, and what happens there


def where(info: RunInfo, trace: SequenceTrace, place: Place) -> str:
    """The direction, and the current step."""
    n = len(trace.positions)
    k = place.step(n)
    t = int(trace.positions[k])
    part = "" if not info.encoder_steps else " of the decoder" if trace.part[k] else " of the encoder"
    if place.back(n):
        return f"Back · t = {t}{part} · {_count(n - 1 - k)} back from the last"
    return f"Forward · t = {t}{part} · step {k + 1} of {n}"


def _count(steps: int) -> str:
    return count(steps, "step")


def happens(info: RunInfo, trace: SequenceTrace, place: Place) -> str:
    """What happens at this place, in one or two sentences."""
    n = len(trace.positions)
    return (_goes_back if place.back(n) else _goes_forward)(info, trace, place.step(n))


def _goes_forward(info: RunInfo, trace: SequenceTrace, at: int) -> str:
    it = "them" if trace.layer else "it"
    if trace.jacobians is None:
        source = f"{it} alone"
    else:
        adds = trace.bridge_hidden is not None and at == int(trace.part.argmax())
        before = "the sum of both ends of the encoder" if adds else _state(info, trace, at - 1)
        source = f"{it} and {before if at else 'a state of 0'}"
    sentence = f"It reads {_read(info, trace, at)} and computes {_state(info, trace, at)} from {source}."
    if not _has_answered(info, trace, at):
        return sentence
    if info.experiment.attention != "none":
        sentence += " By attention it reads the encoder's states."
    loss = f", loss {short(float(trace.loss[at]))}" if trace.counted[at] else ""
    return f"{sentence} The network answers {_answer(info, trace, at)}{loss}."


def _has_answered(info: RunInfo, trace: SequenceTrace, at: int) -> bool:
    """True if the step has an answer. With two directions it needs the top layer, and both must have come so far."""
    if not np.isfinite(trace.outputs[at]).all():
        return False
    done = len(trace.positions) - 1 - at <= at
    reads_one_way = info.directions == 1 or bool(info.encoder_steps)  # a decoder does
    return reads_one_way or (trace.layer == info.num_layers - 1 and done)


def _goes_back(info: RunInfo, trace: SequenceTrace, at: int) -> str:
    arrives = trace.later if trace.cell_later is None else trace.cell_later
    source = "from the loss" if trace.layer == info.num_layers - 1 else "from the layer above"
    if info.encoder_steps and not trace.part[at] and trace.layer == info.num_layers - 1:
        source = "by attention, because this state was read"
    after = f"t = {int(trace.positions[at + 1])}" if at + 1 < len(trace.positions) else "the decoder's first step"
    parts = [f"comes from {after}"] if arrives[at].any() else []
    if trace.direct[at].any():
        parts.append(f"{'' if not parts else 'a part '}enters here {source}")
    if not parts:
        return "No gradient arrives at this step: it is exactly 0 here."
    goes_on = at > 0 and trace.jacobians is not None and not trace.cut[at]
    if goes_on:
        parts.append(f"{'' if len(parts) == 1 else 'the sum '}is passed on to t = {int(trace.positions[at - 1])}")
    arrived = f"The gradient {_listed(parts)}."
    if goes_on or trace.jacobians is None:
        return arrived
    return f"{arrived} {CUT if at else BEFORE_ALL}"


def _listed(parts: list[str]) -> str:
    return " and ".join(parts) if len(parts) < 3 else f"{', '.join(parts[:-1])}, and {parts[-1]}"


def _state(info: RunInfo, trace: SequenceTrace, at: int) -> str:
    """The name of the state of a step: h₃, or c₃ and h₃."""
    t = str(int(trace.positions[at])).translate(LOWERED)
    return f"h{t}" if info.memory_symbol == "h" else f"c{t} and h{t}"


def _read(info: RunInfo, trace: SequenceTrace, at: int) -> str:
    """The input of a step: states of the layer below, a symbol, or values with the names of their channels."""
    if trace.layer:
        return f"the states of layer {trace.layer}"
    given, t = trace.read[at], int(trace.positions[at])
    labels = info.output_labels if 0 < info.encoder_steps <= t else info.input_labels
    if given.ndim == 0:
        return f"“{theme.symbol(labels[int(given)])}”" if given >= 0 else "nothing yet"
    if len(given) > MAX_CHANNELS:
        return f"{len(given)} numbers"
    return ", ".join(f"{value:.3g} ({label})" for label, value in zip(labels, given, strict=True))


def _answer(info: RunInfo, trace: SequenceTrace, at: int) -> str:
    outputs = trace.outputs[at]
    if info.outputs == "values":
        numbers = ", ".join(short(float(value)) for value in outputs[:MAX_CHANNELS])
        return numbers if len(outputs) <= MAX_CHANNELS else f"{len(outputs)} numbers, {numbers} …"
    best = int(outputs.argmax())
    said = f"“{theme.symbol(info.output_labels[best])}” with {outputs[best]:.0%}"
    if not trace.counted[at]:
        return said
    target = int(trace.targets[at])
    right = "" if target == best else f"; right is “{theme.symbol(info.output_labels[target])}”"
    return f"{said}{right or ', which is right'}"


# ---- the numbers of the backward pass


def flow(trace: SequenceTrace, place: Place) -> list[tuple[str, ...]]:
    """The gradient at one step: rows of (name, what arrives, what enters, the sum, what is passed on)."""
    k, unit = place.step(len(trace.positions)), place.unit
    parts = {"h": (trace.later, trace.direct, trace.grad)}
    if trace.grad_cell is not None:
        assert trace.cell_later is not None and trace.cell_from_hidden is not None
        parts["c"] = (trace.cell_later, trace.cell_from_hidden, trace.grad_cell)
    rows: list[tuple[str, ...]] = []
    for state, gradients in parts.items():
        norms = [np.linalg.norm(part, axis=-1) for part in gradients]
        rows.append((f"‖dL/d{state}‖, all units", *_row(trace, k, norms)))
        rows.append((f"dL/d{state}, unit {unit}", *_row(trace, k, [part[:, unit] for part in gradients])))
    return rows


def _row(trace: SequenceTrace, at: int, parts: list[np.ndarray]) -> list[str]:
    """The cells of one row.

    Args:
        parts: what arrives from the next step, what enters, and their sum, (n,) each.
    """
    passed_on = "cut: exactly 0" if trace.cut[at] else "–" if at == 0 else signed(float(parts[0][at - 1]))
    return [*(signed(float(values[at])) for values in parts), passed_on]


def norms(trace: SequenceTrace) -> str:
    """What to know beside the norms and the sum over the steps, and beside the ribbon where several losses enter."""
    sentences = [NORMS]
    if trace.weight_hh is not None:
        sentences.append(SHARED)
    if trace.counted.sum() > 1 and trace.jacobians is not None:
        sentences.append(SEVERAL)
    return " ".join(sentences)


def largest_unit(trace: SequenceTrace) -> int:
    """The unit with the largest gradient anywhere: the one to follow first."""
    return int(np.abs(np.nan_to_num(trace.grad)).max(0).argmax())


def factor(info: RunInfo, trace: SequenceTrace, at: int) -> str:
    """What shrinks the gradient here: "0.61 = 1.02 (weights) x 0.60 (slope)", or the paths of a gated cell.

    Empty where nothing is passed on.
    """
    if at == 0 or trace.cut[at] or trace.jacobians is None:
        return ""
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
    percent = {step_factors.path_label(path): round(100 * float(share[at])) for path, share in f.shares.items()}
    shares = ", ".join(f"{share}% {path}" for path, share in percent.items())
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


def weight(info: RunInfo, trace: SequenceTrace, place: Place) -> list[tuple[str, str]]:
    """Rows of (name, number): the followed weight, and forward what it adds to the sum, back what to its gradient."""
    if trace.weight_hh is None or trace.entering_state is None:
        return []
    n = len(trace.positions)
    k, at, column = place.step(n), row(info, place), place.source
    part = int(trace.part[k])
    value = float(trace.weight_hh[part, at, column])
    slopes = trace.entering_state[:, at]
    before = trace.state_argument(place.gate)[:, column].astype(float)
    terms = np.where(trace.part == part, slopes * before, 0)
    name = f"W_hh[{at}, {column}]"
    rows = [(name, signed(value))]
    if not place.back(n):
        product = f"{signed(float(before[k]))} × {signed(value)} = {signed(float(before[k]) * value)}"
        return [*rows, ("here it adds h × w to the sum", product)]
    product = f"{signed(float(slopes[k]))} × {signed(float(before[k]))} = {signed(float(terms[k]))}"
    return [
        *rows,
        ("this step adds dL/da × h", product),
        ("from the last step to here", signed(float(terms[k:].sum()))),
        ("all steps: dL/dW", signed(float(terms.sum()))),
    ]


# ---- the Jacobian of one step


def jacobian_scale(values: np.ndarray) -> float:
    """The limit of its colours: the smallest of some fixed scales that holds 99.5 % of the values."""
    reach = float(np.quantile(np.abs(values), 0.995)) if np.isfinite(values).all() else 1.0
    return next((scale for scale in JACOBIAN_SCALES if reach <= scale), JACOBIAN_SCALES[-1])


def jacobian_title(info: RunInfo, trace: SequenceTrace, at: int) -> str:
    """Which derivative it is."""
    after = _both(info, trace, at)
    return f"Jacobian ∂{after} / ∂{_both(info, trace, at - 1)}" if at else f"Jacobian of {after} by the state before"


def _both(info: RunInfo, trace: SequenceTrace, at: int) -> str:
    t = str(int(trace.positions[at])).translate(LOWERED)
    return f"h{t}" if info.memory_symbol == "h" else f"(h{t}, c{t})"


def jacobian_note(info: RunInfo, trace: SequenceTrace, scale: float) -> str:
    """What rows, columns and colours mean."""
    sentences = [JACOBIAN_NOTE.format(scale=scale)]
    if info.memory_symbol == "c":
        sentences.append(OF_EACH_STATE)
    if len(trace.units) < info.hidden_size:
        sentences.append(FIRST_UNITS.format(count=len(trace.units), units=info.hidden_size))
    return " ".join(sentences)
