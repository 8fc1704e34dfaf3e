"""The forward and backward pass of one sequence, step by step, as a value. No torch.

A chain is one layer in one direction. Its steps are in the order in which it computes them: the encoder's before the
decoder's; in the reverse direction from the end of the sequence. Step k - 1 of a chain precedes step k.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.frame.frozen import FrozenArrays
from engine.frame.readings import StepFactors
from engine.step_through.verification_result import GradientEntry, JacobianEntry, StateEntry, WeightEntry

MAX_JACOBIAN_ENTRIES = 2_000_000
"""If the Jacobians of all units have more entries, the trace has those of the first units only."""


class TraceError(ValueError):
    """A trace or an entry that does not exist for this network; the message is for the user."""


@dataclass(frozen=True, eq=False, kw_only=True)
class SequenceTrace(FrozenArrays):
    """One chain over the n real steps of the drawn sequence, forward and backward, at one step of training.

    G is the number of blocks of the cell, in the order of its gates (1 for a plain cell), H the number of units, I the
    input size of the chain. A network has one pass; an encoder-decoder has two, each with its own weights. Forward
    values have the dtype of the network, gradients are float64; a gradient below 1e-308 is 0.

    Gradients are those of l, the loss of this sequence alone (not divided by the batch size), over all its counted
    steps. Unit: loss per unit of the variable.

    Args:
        step: updates made. layer, direction: the chain; layer is never negative here.
        positions: (n,) the position of each step on the time axis of the frame.
        part: (n,) the pass of each step: 0, or 1 in a decoder.
        cut: (n,) bool, True where truncation cuts the gradient to the previous step; the state is carried on.
        counted: (n,) bool, True where the position has a loss.
        read: (n,) tokens or (n, channels), what the network reads at this position (as `Frame.inputs`).
        inputs: (n, I), what this chain reads: embeddings, one-hot codes or values, or the states of the layer below.
            If encoder and decoder have different input sizes, the rows of the narrower one are padded with 0.
        input_size: (passes,) the input size without that padding.
        hidden, cell: (n, H); cell is None if there is no cell state.
        first_hidden, first_cell: (H,), the state before the first step.
        bridge_hidden, bridge_cell: (H,), the state before a decoder's first step, where its encoder reads both ways:
            the sum of both ends; else None, and it is the state of the step before.
        gates: {name: (n, H)}; empty for a plain cell.
        from_input, from_state: (n, G, H), W_ih x_t and W_hh h_before (or what else a block reads) without biases;
            from_state is None without a weight_hh.
        biases: (passes, 2, G, H), bias_ih and bias_hh; (passes, 1, G, H) without a weight_hh; (passes, 0, G, H) without
            biases.
        state_arguments: (n, G, H), what the blocks of weight_hh are multiplied with, where that is not h_before for all
            of them; else None.
        vectors: {name: (passes, symbols, H)}, further parameters of the cell, such as peepholes.
        weight_ih: (passes, G*H, I), padded with columns of 0 as `inputs` is. weight_hh: (passes, G*H, H) or None.
        outputs: (n, output_size) class probabilities or values; NaN where the network has no output.
        targets: (n,) classes or (n, output_size), valid where `counted`.
        loss: (n,) l_t, 0 where not counted. loss_weight: (n,) its weight: l is the sum of loss * loss_weight.
        grad: (n, H), dl/dh_t, total. direct: the part that enters at this step from above. later: the part
            from the next step, (ds_after/dh_t)^T dl/ds_after. grad = direct + later.
        grad_cell: (n, H), dl/dc_t, total = cell_from_hidden (through h_t of the same step) + cell_later (from the next
            step). None if there is no cell state.
        entering: (n, G*H), dl/d(W_ih x_t + b_ih), block by block. entering_state: (n, G*H), dl/d(W_hh h_before + b_hh):
            the same except for the candidate of a GRU, because of its reset gate. None without a weight_hh.
        factors: `StepFactors` of this gradient, (n,) each: how each step scales it on its way to the previous step.
        jacobians: (n, N, N) in the dtype of the network, ds_t/ds_before with inputs held fixed, s the `units` of h, or
            of h and then of c (N = 2 len(units)); rows are s_t. The first step's is with respect to the initial
            state. Truncation does not affect these. None for a feed-forward cell.
        units: (m,) the units in the Jacobians: all, or the first ones if all would exceed MAX_JACOBIAN_ENTRIES; none
            for a feed-forward cell.
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
    state_arguments: np.ndarray | None
    vectors: dict[str, np.ndarray]
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
    bridge_hidden: np.ndarray | None = None
    bridge_cell: np.ndarray | None = None

    @property
    def hidden_before(self) -> np.ndarray:
        """(n, H): h of the previous step, as this one reads it."""
        return self._before(self.first_hidden, self.hidden, self.bridge_hidden)

    @property
    def cell_before(self) -> np.ndarray | None:
        """(n, H): c of the previous step, or None."""
        if self.cell is None or self.first_cell is None:
            return None
        return self._before(self.first_cell, self.cell, self.bridge_cell)

    def _before(self, first: np.ndarray, states: np.ndarray, bridge: np.ndarray | None) -> np.ndarray:
        before = np.concatenate([first[None], states[:-1]])
        if bridge is not None:
            before[self.part.argmax()] = bridge
        return before

    def at(self, position: int) -> int:
        """The index of the step at a position on the time axis.

        Raises:
            TraceError: if there is no step, for example in padding.
        """
        steps = np.flatnonzero(self.positions == position)
        if not len(steps):
            raise TraceError(f"There is no step at t = {position} in this sequence.")
        return int(steps[0])

    def weight_gradient(self, weight: str = "weight_hh", part: int = -1) -> np.ndarray:
        """dl/dW of one pass, float64, in PyTorch's layout: the sum over its steps of dl/d(W x) times x.

        Raises:
            TraceError: if the network has no such weight.
        """
        passes = len(self.input_size)
        of_pass = self.part == part % passes
        if weight == "weight_ih" and -passes <= part < passes:
            return self.entering[of_pass].T @ self.inputs[of_pass, : self.input_size[part]].astype(float)
        if weight == "weight_hh" and -passes <= part < passes and self.entering_state is not None:
            return self._weight_hh_gradient(of_pass)
        raise TraceError(f"This network has no {weight} in part {part}.")

    def _weight_hh_gradient(self, of_pass: np.ndarray) -> np.ndarray:
        assert self.entering_state is not None
        blocks = np.split(self.entering_state[of_pass], self.from_input.shape[1], axis=-1)
        arguments = (self.state_argument(k)[of_pass].astype(float) for k in range(len(blocks)))
        return np.concatenate([block.T @ argument for block, argument in zip(blocks, arguments, strict=True)])

    def state_argument(self, block: int) -> np.ndarray:
        """(n, H): what a block of weight_hh is multiplied with, h_before in most cells."""
        return self.hidden_before if self.state_arguments is None else self.state_arguments[:, block]

    def vector(self, what: GradientEntry) -> np.ndarray:
        """The array that contains an entry: dl/ds_t, dl/dW, or a row of the Jacobian.

        Raises:
            TraceError: if there is no such entry.
        """
        if isinstance(what, WeightEntry):
            return self.weight_gradient(what.weight, what.part)
        at = self.at(what.position)
        if isinstance(what, JacobianEntry):
            if self.jacobians is None:
                raise TraceError("A feed-forward cell has no link to the previous step, so there is no Jacobian.")
            return self.jacobians[at, self._jacobian_index(what.row)]
        rows = {"h": self.grad, "c": self.grad_cell}.get(what.state)
        if rows is None:
            raise TraceError(f"This cell has no state {what.state}.")
        return rows[at]

    def number(self, what: GradientEntry) -> float:
        """The value of an entry in this trace.

        Raises:
            TraceError: if there is no such entry.
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
            raise TraceError(f"There is no entry {asked} here: counted from 0, there are {size}.")
        return float(values[index])

    def _jacobian_index(self, unit: int) -> int:
        """The index in the Jacobians of a unit of h, or of H + a unit of c."""
        size, states = self.hidden.shape[-1], 1 if self.cell is None else 2
        state, unit_of_state = divmod(unit, size)
        steps = np.flatnonzero(self.units == unit_of_state)
        if not (0 <= state < states and len(steps)):
            raise TraceError(f"Unit {unit} is not among those whose Jacobians were computed.")
        return state * len(self.units) + int(steps[0])
