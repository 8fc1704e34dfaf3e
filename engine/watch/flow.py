"""What a look has found of one module: the gradient at every state, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.cells import CELLS
from engine.watch.wiring import Link


class CallSpan(NamedTuple):
    """Which steps of a flow's time axis one call made: from `start` to before `stop`, `batch` sequences."""

    start: int
    stop: int
    batch: int
    state: Link | None
    input: Link | None


@dataclass(frozen=True, eq=False)
class LastEntering:
    """The gradient of what enters last alone, in each direction's own order of time.

    Args:
        memory: (layers, directions, T, rows, units), at the state that carries memory.
        enters: (directions, rows), the position where it enters; -1 where nothing does.
        places: (directions, rows), at how many steps a gradient enters in all.
    """

    memory: np.ndarray
    enters: np.ndarray
    places: np.ndarray


@dataclass(frozen=True, eq=False)
class Flow:
    """States and gradients of one module in one backward pass.

    Arrays are (layers, directions, T, rows, units). All calls of the module in this pass stand one after the other on
    the time axis, in the order in which they were made; `calls` says which steps are whose. Gradients are float64, of
    the loss as it was differentiated (a GradScaler's factor is taken out if it is known). Padding, and rows that a call
    did not have, are 0. The reverse direction is indexed by position, too.

    Args:
        name: of the module. cell_name: its cell in `engine.cells.CELLS`; None of a hand-written loop.
        hidden: h_t. cell: c_t, or None. gates: {name: values}; of a projected LSTM all of these but h have more units.
        grad_hidden: dL/dh_t, total: every path, through later steps and later calls included.
        grad_hidden_direct: the part that enters the layer at t from above. NaN at the last step of a call whose state
            was changed on its way to the next call: there the two parts cannot be told apart. None if it is not known.
        grad_cell: dL/dc_t, total, or None.
        valid: (T, rows) bool, steps that are real. rows: which sequences of the batch these are.
        backward_pass: the number of the pass, among those that the lens has heard of.
        proof: how far dL/dW from the sweep was from what autograd brought to the weights, relative to its norm, when
            this was last compared (at the first look and every tenth); None if it could not be.
        last: the gradient of the loss that enters last; None if the module was called more than once in the pass.
        is_coarse: cuDNN may have made its float32 products in TF32, with three digits.
    """

    name: str
    cell_name: str | None
    hidden: np.ndarray
    grad_hidden: np.ndarray
    grad_hidden_direct: np.ndarray | None
    cell: np.ndarray | None
    grad_cell: np.ndarray | None
    gates: dict[str, np.ndarray]
    valid: np.ndarray
    rows: np.ndarray
    calls: tuple[CallSpan, ...]
    backward_pass: int
    proof: float | None = None
    last: LastEntering | None = None
    is_coarse: bool = False

    @property
    def links(self) -> tuple[str, ...]:
        """Where the states and inputs of its calls come from, in words; each said once."""
        said = [f"initial state: {span.state}" for span in self.calls if span.state is not None]
        said += [f"input: {span.input}" for span in self.calls if span.input is not None]
        return tuple(dict.fromkeys(said))

    @property
    def seen(self) -> str:
        """Which sequences were looked at, in words; empty if all were."""
        rows = self.hidden.shape[3]
        return f"in the {rows} sequences looked at" if rows < max(span.batch for span in self.calls) else ""

    @property
    def memory(self) -> np.ndarray:
        """(layers, directions, T, rows, units): at the state that carries memory, dL/dc_t of an LSTM, else dL/dh_t."""
        return self.grad_hidden if self.grad_cell is None else self.grad_cell

    @property
    def norms(self) -> np.ndarray:
        """(layers, directions, T): the median over the rows real at t of the norm of `memory`; NaN where none is."""
        sizes = np.linalg.norm(self.memory, axis=-1)
        result = np.full(sizes.shape[:-1], np.nan)
        for t in np.flatnonzero(self.valid.any(1)):
            result[..., t] = np.median(sizes[..., t, self.valid[t]], -1)
        return result


def keep_gate(flow: Flow) -> float | None:
    """The mean of the gate that keeps the old state, over all layers and real steps; None without one."""
    gate = keep_gate_name(flow)
    return None if gate is None else float(flow.gates[gate][:, :, flow.valid].mean())


def keep_gate_name(flow: Flow) -> str | None:
    """The gate that keeps the old state; None without one."""
    return CELLS[flow.cell_name].retain_gate if flow.cell_name else None
