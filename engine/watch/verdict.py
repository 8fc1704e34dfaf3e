"""What is said first of a module: how much of the gradient arrives at its first step, and what helps."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.diagnosis.bands import BANDS, GROWING, SHRINKING, band, near
from engine.number_format import write_count
from engine.watch.flow import Flow
from engine.watch.reach import Reach, best_reach, keep_gate_name

NOT_FINITE = "not finite"
KINDS = (*BANDS, NOT_FINITE)

WORDS = {
    "vanished": "has vanished",
    "vanishing": "is vanishing",
    "fading": "is fading",
    "healthy": "comes back",
    "rising": "is rising",
    "growing": "is growing",
    "exploding": "is exploding",
}

CLIP = "Clip it before the update: nn.utils.clip_grad_norm_(model.parameters(), 1.0)."
ORTHOGONAL = "nn.init.orthogonal_(rnn.weight_hh_l0)"


@dataclass(frozen=True)
class Verdict:
    """What is said of a module.

    Args:
        kind: one of KINDS. sentence: without the module's name. cure: what to try, in PyTorch's words; "" without one.
    """

    kind: str
    sentence: str
    cure: str


def verdict_of(flow: Flow, before: str = "") -> Verdict | None:
    """Judge the chain through which most of the gradient arrives; None where no gradient has a way back.

    Args:
        before: the kind at the last look. It stays as long as the ratio is hardly outside of its band.
    """
    reach = best_reach(flow)
    if not reach.places:
        return None
    if not reach.is_finite:
        return Verdict(NOT_FINITE, "the gradient is not finite.", "Read the black box: it says what came first.")
    if not reach.steps or not reach.enters:
        return None
    kind = before if before in BANDS and near(before, reach.ratio) else band(reach.ratio)
    sentence = f"the gradient {WORDS[kind]}: {share_that_arrives(reach)} {count(reach.steps, 'step')} back."
    return Verdict(kind, sentence, _cure(kind, flow, reach.steps))


def share_that_arrives(reach: Reach) -> str:
    """In words: 43% arrives, 1 part in 4 billion arrives, it is 33 times as large."""
    if reach.ratio == 0:
        return "exactly 0 arrives"
    if reach.ratio >= 1.5:
        return f"it is {write_count(reach.ratio)} times as large"
    if reach.ratio >= 0.1:
        return f"{reach.ratio:.0%} arrives"
    return f"1 part in {write_count(1 / max(reach.ratio, 1e-300))} arrives"


def count(number: int, what: str) -> str:
    """1 step, 2 steps."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _cure(kind: str, flow: Flow, steps: int) -> str:
    """What to try. A gate with the bias log(T) keeps for about T steps (Tallec and Ollivier, 2018)."""
    gate = keep_gate_name(flow)
    if kind in GROWING:
        return CLIP if gate else f"{CLIP} Or start with {ORTHOGONAL}."
    if kind not in SHRINKING:
        return ""
    if flow.cell_name is None:  # a loop that nobody knows
        return "Give the old state a way past the weights, as the gates of nn.LSTM and nn.GRU do."
    if gate is None:
        return f"Use nn.LSTM or nn.GRU, or start with {ORTHOGONAL}."
    at, units = list(flow.gates).index(gate), flow.gates[gate].shape[-1]
    rows = f"{at * units}:{(at + 1) * units}"
    opens = f"rnn.bias_ih_l0.data[{rows}].fill_({math.log(max(steps, 3)):.1f})"
    return f"Start with the {gate.replace('_', ' ')} open for as many steps, in every layer: {opens}."
