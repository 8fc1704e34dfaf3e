"""One sequence taken forward step by step and back again, as a value. No torch.

A chain is one layer in one direction. Its steps stand in its own time order: an encoder's, then its decoder's; in the
reverse direction from the end of the sequence. The step before step k of a chain is step k - 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.frame.frozen import FrozenArrays
from engine.frame.readings import StepFactors
from engine.step_through.verification_result import GradientEntry, JacobianEntry, StateEntry, WeightEntry

MOST_JACOBIAN_NUMBERS = 2_000_000
"""A walk with more has the Jacobians of its first units alone."""


class TraceError(ValueError):
    """A walk or a number that this network has not, as a sentence for the person who asked."""


@dataclass(frozen=True, eq=False, kw_only=True)
class SequenceTrace(FrozenArrays):
    """One chain over the n real steps of the drawn sequence, forward and back, at one step of training.

    G is the cell's number of blocks, gates in the order of its catalogue (one for a plain cell), H the units, I what
    the chain reads at a step. A network has one pass, an encoder-decoder two with weights of their own. Forwards in
    the dtype of the network, backwards float64; a gradient below 1e-308 is 0 here.

    The gradient is that of l, the loss of this sequence alone (not divided by the batch), over all its counted steps.
    Unit: loss per unit of what it is the gradient of.

    Args:
        step: updates made. layer, direction: the chain; layer is never negative here.
        positions: (n,) where each step stands on the time axis of the frame.
        part: (n,) 0, or 1 in a decoder: the pass that each step belongs to.
        cut: (n,) bool, truncation cuts the link to the step before: the state is carried on, no gradient goes back.
        counted: (n,) bool, the step at this position has a loss.
        read: (n,) tokens or (n, channels), what the network reads at this position (as `Frame.inputs`).
        inputs: (n, I), what this chain reads: embeddings, one-hot codes or values, or the states of the layer below.
            Where encoder and decoder read different numbers of units, the narrower one's rows are filled up with 0.
        input_size: (passes,) how many of the I are real.
        hidden, cell: (n, H); cell is None where there is no cell state.
        first_hidden, first_cell: (H,), the state before the first step.
        gates: {name: (n, H)}; empty for a plain cell.
        from_input, from_state: (n, G, H), W_ih x_t and W_hh h_before without their biases; from_state is None for a
            cell without links.
        biases: (passes, 2, G, H), bias_ih and bias_hh; (passes, 1, G, H) without links.
        peepholes: (passes, 3, H), p_i, p_f and p_o; None for a cell without.
        weight_ih: (passes, G*H, I), filled up with columns of 0 as `inputs` is. weight_hh: (passes, G*H, H) or None.
        outputs: (n, output_size) class probabilities or values; NaN where the network says nothing at this position.
        targets: (n,) classes or (n, output_size), which mean something where `counted`.
        loss: (n,) l_t, 0 where not counted. loss_weight: (n,) its weight in l, so that l is the sum of their products.
        grad: (n, H), dl/dh_t, total. direct: what enters at this step from above. later: what arrived from the step
            after, (ds_after/dh_t)^T dl/ds_after. grad = direct + later.
        grad_cell: (n, H), dl/dc_t, total = cell_from_hidden (through h_t of the same step) + cell_later (from the step
            after). None where there is no cell state.
        entering: (n, G*H), dl/d(W_ih x_t + b_ih), block by block. entering_state: (n, G*H), dl/d(W_hh h_before + b_hh):
            the same but for the candidate of a GRU, whose reset gate stands between. None without links.
        factors: as `StepFactors`, (n,) each, of this gradient: what the step does to it on its way to the step before.
        jacobians: (n, N, N) in the dtype of the network, ds_t/ds_before with inputs held fixed, s the `units` of h, or
            of h and then of c (N = 2 len(units)); rows are s_t. The first step's is by the state before it, zeros.
            Truncation cuts gradients, not these. None without links.
        units: (m,) the units whose Jacobians are there: all, or so many of the first that they are no more than
            MOST_JACOBIAN_NUMBERS; none without links.
    """

    step: int
    layer: int
    direction: int
    positions: np.ndarray
    part: np.ndarray
    cut: np.ndarray
    counted: np.ndarray
    read: np.ndarray
    inputs: np.ndarray
    input_size: tuple[int, ...]
    hidden: np.ndarray
    first_hidden: np.ndarray
    cell: np.ndarray | None
    first_cell: np.ndarray | None
    gates: dict[str, np.ndarray]
    from_input: np.ndarray
    from_state: np.ndarray | None
    biases: np.ndarray
    peepholes: np.ndarray | None
    weight_ih: np.ndarray
    weight_hh: np.ndarray | None
    outputs: np.ndarray
    targets: np.ndarray
    loss: np.ndarray
    loss_weight: np.ndarray
    grad: np.ndarray
    direct: np.ndarray
    later: np.ndarray
    grad_cell: np.ndarray | None
    cell_from_hidden: np.ndarray | None
    cell_later: np.ndarray | None
    entering: np.ndarray
    entering_state: np.ndarray | None
    factors: StepFactors
    jacobians: np.ndarray | None
    units: np.ndarray

    @property
    def hidden_before(self) -> np.ndarray:
        """(n, H): h of the step before each."""
        return np.concatenate([self.first_hidden[None], self.hidden[:-1]])

    @property
    def cell_before(self) -> np.ndarray | None:
        """(n, H): c of the step before each, or None."""
        if self.cell is None or self.first_cell is None:
            return None
        return np.concatenate([self.first_cell[None], self.cell[:-1]])

    def at(self, position: int) -> int:
        """Which step of the chain stands at a position of the time axis.

        Raises:
            TraceError: where that is padding, or no step at all.
        """
        found = np.flatnonzero(self.positions == position)
        if not len(found):
            raise TraceError(f"There is nothing at t = {position}: this sequence has no step there.")
        return int(found[0])

    def weight_gradient(self, weight: str = "weight_hh", part: int = -1) -> np.ndarray:
        """dl/dW of one pass, float64, in PyTorch's layout: the sum over its steps of dl/d(argument) times what W reads.

        Raises:
            TraceError: for a weight that this cell has not.
        """
        passes = len(self.input_size)
        mine = self.part == part % passes
        if weight == "weight_ih" and -passes <= part < passes:
            return self.entering[mine].T @ self.inputs[mine, : self.input_size[part]].astype(float)
        if weight == "weight_hh" and -passes <= part < passes and self.entering_state is not None:
            return self.entering_state[mine].T @ self.hidden_before[mine].astype(float)
        raise TraceError(f"This network has no {weight} of that name and part.")

    def vector(self, what: GradientEntry) -> np.ndarray:
        """What the claimed number stands in: dl/ds_t, dl/dW, or a row of the Jacobian.

        Raises:
            TraceError: for a number that is not there.
        """
        if isinstance(what, WeightEntry):
            return self.weight_gradient(what.weight, what.part)
        at = self.at(what.position)
        if isinstance(what, JacobianEntry):
            if self.jacobians is None:
                raise TraceError("No step of this cell is linked to the one before, so there is no Jacobian.")
            return self.jacobians[at, self._jacobian_index(what.row)]
        rows = {"h": self.grad, "c": self.grad_cell}.get(what.state)
        if rows is None:
            raise TraceError(f"This cell has no state {what.state}.")
        return rows[at]

    def number(self, what: GradientEntry) -> float:
        """The claimed number, as this walk has it.

        Raises:
            TraceError: for a number that is not there.
        """
        values = self.vector(what)
        if isinstance(what, StateEntry):
            index: tuple[int, ...] = (what.unit,)
        elif isinstance(what, WeightEntry):
            index = (what.row, what.column)
        else:
            index = (self._jacobian_index(what.column),)
        if not all(0 <= each < size for each, size in zip(index, values.shape, strict=True)):
            size, asked = (" x ".join(map(str, each)) for each in (values.shape, index))
            raise TraceError(f"There is no number {asked} here: counted from 0, there are {size}.")
        return float(values[index])

    def _jacobian_index(self, unit: int) -> int:
        """Where a unit of h, or H + a unit of c, stands in the Jacobians."""
        size, states = self.hidden.shape[-1], 1 if self.cell is None else 2
        state, unit_of_state = divmod(unit, size)
        found = np.flatnonzero(self.units == unit_of_state)
        if not (0 <= state < states and len(found)):
            raise TraceError(f"Unit {unit} is not among those whose Jacobians were taken.")
        return state * len(self.units) + int(found[0])
