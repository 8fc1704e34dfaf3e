"""A gradient of a sequence trace and the same gradient from an independent calculation, as values. No torch."""

from __future__ import annotations

from dataclasses import dataclass

CENTRAL_DIFFERENCES = "central differences"
AUTOGRAD = "autograd on the unrolled loop"
METHODS = (CENTRAL_DIFFERENCES, AUTOGRAD)

VANISHED, TRUNCATED, UNSURE, SLOW = "vanished", "truncated", "unsure", "slow"
REASONS = (VANISHED, TRUNCATED, UNSURE, SLOW)
"""Why a number is not verified by differences: the gradient is almost 0; truncation cuts the gradient, but not the
effect of a changed state; differences of several widths disagree (the number is small compared with its neighbours, or
a ReLU has a kink there); the loop would take too long for the number of runs."""


@dataclass(frozen=True, kw_only=True)
class StateEntry:
    """dl/dh_t or dl/dc_t of one unit.

    Args:
        state: "h" or "c". layer, direction: the chain; layer -1 is the top one.
        position: t on the time axis. unit: index of the unit.
    """

    state: str = "h"
    layer: int = -1
    direction: int = 0
    position: int
    unit: int


@dataclass(frozen=True, kw_only=True)
class WeightEntry:
    """dl/dW of one recurrent or input weight, summed over all time steps of the drawn sequence.

    Args:
        weight: "weight_hh" or "weight_ih", in PyTorch's layout: gate blocks one below the other.
        row, column: index of the entry. part: in an encoder-decoder 0 for the encoder, -1 or 1 for the decoder.
    """

    weight: str = "weight_hh"
    layer: int = -1
    direction: int = 0
    row: int
    column: int
    part: int = -1


@dataclass(frozen=True, kw_only=True)
class JacobianEntry:
    """d s_t[row] / d s_before[column]: the derivative of one unit with respect to one unit of the previous step.

    The other units, the input and, of an LSTM, the other state of the previous step are held fixed.

    Args:
        row, column: units of h, followed by the units of c if there is a cell state: 0 to 2H - 1.
    """

    layer: int = -1
    direction: int = 0
    position: int
    row: int
    column: int


GradientEntry = StateEntry | WeightEntry | JacobianEntry
"""A gradient on the screen that the user can have verified."""


@dataclass(frozen=True, kw_only=True)
class Verification:
    """A number, and the same number from a calculation that shares only weights, embedding and head with the first.

    Args:
        what: the number. step: updates made before the verification.
        value: the number of the sequence trace, from the running network (float32).
        value64: the same calculation on a float64 copy of the network.
        independent: the independent calculation on that copy, float64.
        relative_error: |value64 - independent| / |independent|, the error of the calculation. 0 if both are exactly 0,
            infinite if only `independent` is.
        relative_error32: |value - independent| / |independent|, which includes the rounding of float32.
        method: one of METHODS. reason: why not by differences, one of REASONS; empty if by differences.
        uncertainty: estimated relative error of the differences; 0 for autograd.
        width: the largest perturbation, in units of what is perturbed; 0 for autograd.
        runs: number of runs of the slow loop, or for a Jacobian of its one step.
        norm: norm of the array that contains the number: dl/ds_t, dl/dW or the row of the Jacobian (float64 copy).
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
