"""A gradient of a sequence trace and the same gradient from an independent calculation, as values. No torch."""

from __future__ import annotations

from dataclasses import dataclass

CENTRAL_DIFFERENCES = "central differences"
AUTOGRAD = "autograd on the unrolled loop"
METHODS = (CENTRAL_DIFFERENCES, AUTOGRAD)

VANISHED, TRUNCATED, UNSURE, SLOW = "vanished", "truncated", "unsure", "slow"
REASONS = (VANISHED, TRUNCATED, UNSURE, SLOW)
"""Why a number was not repeated by differences: the gradient is next to nothing; truncation cuts a gradient, but not
the state that a nudge changes; differences of several widths do not agree (the number is small beside its neighbours,
or a ReLU has a kink there); the loop would take too long for so many runs."""


@dataclass(frozen=True, kw_only=True)
class StateEntry:
    """dl/dh_t or dl/dc_t of one unit.

    Args:
        state: "h" or "c". layer, direction: the chain; layer -1 is the top one.
        position: t on the time axis. unit: which of the layer's units.
    """

    state: str = "h"
    layer: int = -1
    direction: int = 0
    position: int
    unit: int


@dataclass(frozen=True, kw_only=True)
class WeightEntry:
    """dl/dW of one recurrent or input weight: the whole sum over time, of the drawn sequence.

    Args:
        weight: "weight_hh" or "weight_ih", in PyTorch's layout: gate blocks one below the other.
        row, column: the number in it. part: of an encoder-decoder 0 for the encoder's, -1 or 1 for the decoder's.
    """

    weight: str = "weight_hh"
    layer: int = -1
    direction: int = 0
    row: int
    column: int
    part: int = -1


@dataclass(frozen=True, kw_only=True)
class JacobianEntry:
    """d s_t[row] / d s_before[column]: how much one unit moves if one unit of the step before is moved.

    The other units, the input and, of an LSTM, the other state of the step before are held fixed.

    Args:
        row, column: units of h, and after those the units of c where there is a cell state: 0 to 2H - 1.
    """

    layer: int = -1
    direction: int = 0
    position: int
    row: int
    column: int


GradientEntry = StateEntry | WeightEntry | JacobianEntry
"""A number on the screen that a person can ask to be repeated."""


@dataclass(frozen=True, kw_only=True)
class Verification:
    """A number, and the same number by a calculation that shares with the first only the weights, embedding and head.

    Args:
        what: which number. step: updates made when it was asked.
        value: what the walk says, from the running network (float32).
        value64: the same calculation on a float64 copy of the network.
        independent: the other calculation on that copy, float64.
        relative_error: |value64 - independent| / |independent|: is the calculation right? 0 where both are exactly 0,
            infinite where only the independent one is.
        relative_error32: |value - independent| / |independent|: how much float32 costs besides.
        method: one of METHODS. reason: why it is not by differences, one of REASONS; empty where it is.
        uncertainty: what the differences themselves leave open, relative, by their own estimate; 0 for autograd.
        width: the largest nudge, in units of what is nudged; 0 for autograd.
        runs: how many times the slow loop, or for a Jacobian its one step, was run.
        norm: ||dl/ds_t||, ||dl/dW|| or the norm of the row of the Jacobian that the number stands in (float64 copy).
    """

    what: GradientEntry
    step: int
    value: float
    value64: float
    independent: float
    relative_error: float
    relative_error32: float
    method: str
    reason: str
    uncertainty: float
    width: float
    runs: int
    norm: float
