"""Verify a gradient of the lens independently: by finite differences, or by autograd on a reference loop.

Differences need no derivative at all, so they are tried first. If a gradient is almost 0 they are lost in rounding, and
where truncation cuts it they still see the state that is carried on. Then autograd differentiates the loop of
`engine.step_through.unrolled`.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.model import RecurrentNetwork
from engine.step_through.sequence_trace import SequenceTrace, TraceError
from engine.step_through.tracing import trace_chain
from engine.step_through.unrolled import Nudge, Place, unroll
from engine.step_through.verification_result import (
    AUTOGRAD,
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
from engine.tasks import Batch
from engine.update_cost import step_cost

MIN_NORM = 1e-6  # gradient norm; below this the difference of two losses is mostly rounding error
MAX_UNCERTAINTY = 1e-7  # relative; if differences are less certain than this, autograd is used
WIDTH_COUNT = 6  # number of perturbation sizes, each half the previous one
MAX_WIDTH = 0.02  # the largest perturbation; smaller if the gradient is large
MAX_LOSS_CHANGE = 0.05  # relative change of the loss by the largest perturbation, at most
MAX_SECONDS = 2.0, 4.0  # for differences; for autograd, beyond which verification is refused
SECONDS_PER_STEP, SECONDS_PER_MULTIPLY = 8e-5, 1e-9  # rough costs on one core; the estimate need not be precise


@dataclass(frozen=True)
class Trial:
    """Two ways to compute the derivative of y with respect to x, both independent of the lens.

    `move(amount)` returns y with x changed by `amount`; `differentiate()` uses autograd.
    """

    move: Callable[[float], float]
    differentiate: Callable[[], float]


def verify(
    model: RecurrentNetwork, batch: Batch, what: GradientEntry, *, sequence: int = 0, step: int = 0
) -> Verification:
    """Verify an entry of a sequence trace on a float64 copy of the network. Changes nothing, draws no random numbers.

    Raises:
        TraceError: if there is no such entry, it is not finite, or the network is too large for the reference loop.
    """
    once = _estimated_seconds(model, batch)
    if 3 * once > MAX_SECONDS[1]:
        raise TraceError("This network is too large for the step-by-step check; use fewer time steps or units.")
    trace = trace_chain(model, batch, what.layer, what.direction, sequence=sequence)
    model64, single = copy.deepcopy(model).double().cpu().eval(), batch.single_sequence(sequence)
    trace64 = trace_chain(model64, single, what.layer, what.direction)
    value, value64, norm = trace.number(what), trace64.number(what), _norm(trace64.vector(what))
    if not (math.isfinite(value) and math.isfinite(norm)):
        raise TraceError("This number is not finite, so it cannot be checked.")
    trial, reason = _trial(model64, single, what, trace64), _reason_against_differences(trace64, what, norm, once)
    difference = differences(trial.move, norm) if not reason else Differences(math.nan, 0.0, 0.0, 0)
    if difference.uncertainty > MAX_UNCERTAINTY:
        reason = UNSURE
    independent = trial.differentiate() if reason else difference.slope
    return Verification(
        what=what,
        step=step,
        value=value,
        value64=value64,
        independent=independent,
        relative_error=_relative(value64, independent),
        relative_error32=_relative(value, independent),
        method=AUTOGRAD if reason else CENTRAL_DIFFERENCES,
        reason=reason,
        uncertainty=0.0 if reason else difference.uncertainty,
        width=0.0 if reason else difference.width,
        runs=difference.runs + bool(reason),
        norm=norm,
    )


def _norm(values: np.ndarray) -> float:
    """The 2-norm, scaled by the largest entry first: the square of 1e-200 would be 0."""
    largest = float(np.abs(values).max())
    return largest * float(np.linalg.norm(values / largest)) if 0 < largest < math.inf else largest


def _relative(value: float, independent: float) -> float:
    if value == independent:
        return 0.0
    return abs(value - independent) / abs(independent) if independent else math.inf


def _estimated_seconds(model: RecurrentNetwork, batch: Batch) -> float:
    """Estimated seconds of one forward pass of the reference loop; a backward pass costs twice as much."""
    e = model.experiment
    multiplications = step_cost(e)[0] / (3 * e.batch_size)
    return len(batch.valid) * e.num_layers * e.directions * SECONDS_PER_STEP + multiplications * SECONDS_PER_MULTIPLY


def _reason_against_differences(trace: SequenceTrace, what: GradientEntry, norm: float, once: float) -> str:
    """One of REASONS, or "" if differences can be tried."""
    if isinstance(what, JacobianEntry):  # a single step, which truncation does not affect
        return "" if norm > MIN_NORM else VANISHED
    cut = trace.cut.any() if isinstance(what, WeightEntry) else (trace.cut & (trace.positions > what.position)).any()
    if cut:
        return TRUNCATED
    if norm <= MIN_NORM:
        return VANISHED
    return SLOW if 2 * WIDTH_COUNT * once > MAX_SECONDS[0] else ""


@dataclass(frozen=True)
class Differences:
    """A derivative by finite differences, its relative uncertainty, the largest width, and the number of runs."""

    slope: float
    uncertainty: float
    width: float
    runs: int


def differences(move: Callable[[float], float], steepness: float) -> Differences:
    """Central differences at several widths w, extrapolated to w = 0; the entry that agrees best with its neighbours.

    The uncertainty includes rounding of the values and of the perturbation. `steepness` is the norm of the gradient.
    Source: C. Ridders, Accurate computation of F'(x) and F'(x) F''(x), Advances in Engineering Software 4 (1982).
    """
    here, bends = move(0.0), []
    width = min(MAX_WIDTH, MAX_LOSS_CHANGE * max(abs(here), 0.1) / steepness)
    best, smallest = math.nan, math.inf
    before: list[float] = []  # the row of the previous width, by order of extrapolation
    for level in range(WIDTH_COUNT):
        w = width / 2**level
        above, below = move(w), move(-w)
        row = [(above - below) / (2 * w)]
        bends.append(abs(above + below - 2 * here) / (2 * w))  # half the difference of the one-sided slopes
        rounding = np.finfo(float).eps * (abs(here) + abs(row[0])) / w
        for order, coarser in enumerate(before, 1):
            row.append(row[-1] + (row[-1] - coarser) / (4**order - 1))
            gap = max(abs(row[-1] - row[-2]), abs(row[-1] - coarser)) + rounding
            if gap < smallest:
                best, smallest = row[-1], gap
        before = row
    if bends[-1] > 0.75 * bends[-2] and bends[-1] > 10 * rounding:  # without a kink it would halve
        smallest = max(smallest, bends[-1])
    return Differences(best, smallest / abs(best) if best else math.inf, width, 2 * WIDTH_COUNT + 1)


def _trial(model: RecurrentNetwork, batch: Batch, what: GradientEntry, trace: SequenceTrace) -> Trial:
    """The trial of an entry. `model` is a copy, which a trial may change temporarily."""
    if isinstance(what, WeightEntry):
        return _weight_trial(model, batch, what, trace)
    place = (trace.layer, trace.direction, what.position)
    if isinstance(what, StateEntry):
        return _state_trial(model, batch, what, place)
    return _jacobian_trial(model, batch, what, place)


def _state_trial(model: RecurrentNetwork, batch: Batch, what: StateEntry, place: Place) -> Trial:
    """The loss of the whole sequence with respect to one unit of a state."""

    def move(amount: float) -> float:
        with torch.no_grad():
            return float(unroll(model, batch, nudge=Nudge(what.state, place, what.unit, amount)).loss)

    def differentiate() -> float:
        run = unroll(model, batch)
        state = (run.hidden if what.state == "h" else run.cell)[place]
        return float(torch.autograd.grad(run.loss, state, materialize_grads=True)[0][what.unit])

    return Trial(move, differentiate)


def _weight_trial(model: RecurrentNetwork, batch: Batch, what: WeightEntry, trace: SequenceTrace) -> Trial:
    """The loss of the whole sequence with respect to one weight."""
    name = f"{what.weight}_l{trace.layer}" + ("_reverse" if trace.direction else "")
    weight, at = model.stacks[what.part % len(trace.input_size)].get_parameter(name), (what.row, what.column)
    before = weight.detach()[at].item()

    def move(amount: float) -> float:
        with torch.no_grad():
            weight[at] = before + amount
            try:
                return float(unroll(model, batch).loss)
            finally:
                weight[at] = before

    def differentiate() -> float:
        return float(torch.autograd.grad(unroll(model, batch).loss, weight, materialize_grads=True)[0][at])

    return Trial(move, differentiate)


def _jacobian_trial(model: RecurrentNetwork, batch: Batch, what: JacobianEntry, place: Place) -> Trial:
    """One unit with respect to one unit of the previous step: a single step, with the loop's states and input."""
    with torch.no_grad():
        run = unroll(model, batch)
    step, read, state = run.steppers[place], run.reads[place], torch.cat(run.before[place])

    def after(before: Tensor) -> Tensor:
        return torch.cat(step(read, before.split(model.experiment.hidden_size)))[what.row]

    def move(amount: float) -> float:
        with torch.no_grad():
            moved = state.clone()
            moved[what.column] += amount
            return float(after(moved))

    def differentiate() -> float:
        leaf = state.clone().requires_grad_()
        return float(torch.autograd.grad(after(leaf), leaf, materialize_grads=True)[0][what.column])

    return Trial(move, differentiate)
