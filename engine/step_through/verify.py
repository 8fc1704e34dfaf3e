"""A number of the lens, repeated independently: by nudging what it is the slope of, or by autograd on the slow loop.

Differences need no derivative at all, so they are asked first. Where a gradient is next to nothing they drown in
rounding, and where it is cut they see the state that is still carried on; then autograd differentiates the loop of
`engine.step_through.unrolled`, step by step.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.experiment import step_cost
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

SMALLEST = 1e-6  # norm: below this the difference of two losses is little more than rounding
SURE = 1e-7  # relative; where differences leave more than this open, autograd is asked
WIDTHS = 6  # nudges of different sizes, each half the one before
WIDEST = 0.02  # the largest nudge; smaller where the loss is steep
RISE = 0.05  # how much of itself the loss may change by the largest nudge
PATIENCE = 2.0, 4.0  # seconds: for differences, and for autograd, which is refused beyond
A_STEP, A_MULTIPLICATION = 8e-5, 1e-9  # seconds that these cost on one core, roughly: only what is far too much matters


@dataclass(frozen=True)
class Trial:
    """Two ways to the slope of one number with respect to another, neither of which knows the lens.

    `move(amount)` says what the one is when the other is moved by so much; `differentiate` asks autograd.
    """

    move: Callable[[float], float]
    differentiate: Callable[[], float]


def verify(
    model: RecurrentNetwork, batch: Batch, what: GradientEntry, *, sequence: int = 0, step: int = 0
) -> Verification:
    """Repeat a number of one sequence's walk on a float64 copy of the network. Changes nothing, draws nothing.

    Raises:
        TraceError: for a number that is not there or not finite, or a network that is too large for the slow loop.
    """
    once = _seconds(model, batch)
    if 3 * once > PATIENCE[1]:
        raise TraceError("This network is too large to be repeated step by step; fewer time steps or units can be.")
    told = trace_chain(model, batch, what.layer, what.direction, sequence=sequence)
    wide, alone = copy.deepcopy(model).double().cpu().eval(), batch.alone(sequence)
    told64 = trace_chain(wide, alone, what.layer, what.direction)
    value, value64, norm = told.number(what), told64.number(what), _norm(told64.vector(what))
    if not (math.isfinite(value) and math.isfinite(norm)):
        raise TraceError("This number is not finite, so it cannot be repeated.")
    trial, reason = _trial(wide, alone, what, told64), _why_not_differences(told64, what, norm, once)
    found = differences(trial.move, norm) if not reason else Differences(math.nan, 0.0, 0.0, 0)
    if found.uncertainty > SURE:
        reason = UNSURE
    independent = trial.differentiate() if reason else found.slope
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
        uncertainty=0.0 if reason else found.uncertainty,
        width=0.0 if reason else found.width,
        runs=found.runs + bool(reason),
        norm=norm,
    )


def _norm(values: np.ndarray) -> float:
    """Of all numbers together. The largest is brought to 1 first: a square of 1e-200 would be 0."""
    largest = float(np.abs(values).max())
    return largest * float(np.linalg.norm(values / largest)) if 0 < largest < math.inf else largest


def _relative(value: float, independent: float) -> float:
    if value == independent:
        return 0.0
    return abs(value - independent) / abs(independent) if independent else math.inf


def _seconds(model: RecurrentNetwork, batch: Batch) -> float:
    """What one pass of the slow loop over one sequence will cost, roughly; a step back costs twice as much."""
    e = model.experiment
    multiplications = step_cost(e)[0] / (3 * e.batch_size)
    return len(batch.valid) * e.num_layers * e.directions * A_STEP + multiplications * A_MULTIPLICATION


def _why_not_differences(told: SequenceTrace, what: GradientEntry, norm: float, once: float) -> str:
    """A reason, or "" where they can be tried."""
    if isinstance(what, JacobianEntry):  # one step alone, which nothing cuts
        return "" if norm > SMALLEST else VANISHED
    cut = told.cut.any() if isinstance(what, WeightEntry) else (told.cut & (told.positions > what.position)).any()
    if cut:
        return TRUNCATED
    if norm <= SMALLEST:
        return VANISHED
    return SLOW if 2 * WIDTHS * once > PATIENCE[0] else ""


@dataclass(frozen=True)
class Differences:
    """A slope by differences, what they leave open (relative), the largest nudge, and how many runs they took."""

    slope: float
    uncertainty: float
    width: float
    runs: int


def differences(move: Callable[[float], float], steepness: float) -> Differences:
    """(move(w) - move(-w)) / 2w at several widths w, extrapolated to w = 0; the entry that its neighbours confirm best.

    Rounding is counted in: that of what moves, and of the nudge itself.
    Source: C. Ridders, Accurate computation of F'(x) and F'(x) F''(x), Advances in Engineering Software 4 (1982).
    """
    here, bends = move(0.0), []
    width = min(WIDEST, RISE * max(abs(here), 0.1) / steepness)
    best, smallest = math.nan, math.inf
    before: list[float] = []  # the row of the width before, by order of extrapolation
    for level in range(WIDTHS):
        w = width / 2**level
        above, below = move(w), move(-w)
        row = [(above - below) / (2 * w)]
        bends.append(abs(above + below - 2 * here) / (2 * w))  # by how much the slopes to both sides differ, halved
        rounding = np.finfo(float).eps * (abs(here) + abs(row[0])) / w
        for order, coarser in enumerate(before, 1):
            row.append(row[-1] + (row[-1] - coarser) / (4**order - 1))
            gap = max(abs(row[-1] - row[-2]), abs(row[-1] - coarser)) + rounding
            if gap < smallest:
                best, smallest = row[-1], gap
        before = row
    if bends[-1] > 0.75 * bends[-2] and bends[-1] > 10 * rounding:  # it would halve where there is no kink
        smallest = max(smallest, bends[-1])
    return Differences(best, smallest / abs(best) if best else math.inf, width, 2 * WIDTHS + 1)


def _trial(model: RecurrentNetwork, batch: Batch, what: GradientEntry, told: SequenceTrace) -> Trial:
    """`model` is a copy that may be changed, as long as it is put back."""
    if isinstance(what, WeightEntry):
        return _of_weight(model, batch, what, told)
    place = (told.layer, told.direction, what.position)
    return _of_state(model, batch, what, place) if isinstance(what, StateEntry) else _of_step(model, batch, what, place)


def _of_state(model: RecurrentNetwork, batch: Batch, what: StateEntry, place: Place) -> Trial:
    """The loss of the whole sequence, by one unit of a state."""

    def move(amount: float) -> float:
        with torch.no_grad():
            return float(unroll(model, batch, nudge=Nudge(what.state, place, what.unit, amount)).loss)

    def differentiate() -> float:
        run = unroll(model, batch)
        state = (run.hidden if what.state == "h" else run.cell)[place]
        return float(torch.autograd.grad(run.loss, state, materialize_grads=True)[0][what.unit])

    return Trial(move, differentiate)


def _of_weight(model: RecurrentNetwork, batch: Batch, what: WeightEntry, told: SequenceTrace) -> Trial:
    """The loss of the whole sequence, by one weight that every step uses."""
    name = f"{what.weight}_l{told.layer}" + ("_reverse" if told.direction else "")
    weight, at = model.stacks[what.part].get_parameter(name), (what.row, what.column)
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


def _of_step(model: RecurrentNetwork, batch: Batch, what: JacobianEntry, place: Place) -> Trial:
    """One unit after a step by one unit before it: that step alone, with the states and input that the loop has."""
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
