"""The preactivations of a frame: W_ih x_t, W_hh h_{t-1} and the biases of every gate, before its nonlinearity.

Of the drawn sequence in the top layer, in NumPy.
"""

from __future__ import annotations

import numpy as np

from engine.cells import CELLS
from engine.cells.reverse_sequence import flip
from engine.frame.readings import Preactivations
from engine.lens.forward_trace import DRAWN, ForwardPass, ForwardTrace


def preactivations(trace: ForwardTrace) -> Preactivations:
    """Recompute the preactivations of the drawn sequence in the top layer. Changes nothing."""
    kind, units = CELLS[trace.model.experiment.cell], trace.model.experiment.hidden_size
    inputs, states, biases, peepholes = [], [], [], []
    state = np.zeros(units, np.float32)  # h at the last step of the previous pass
    for one in trace.passes:
        cell_trace, real = one.cell_traces[-1][0], int(one.lengths[DRAWN])
        matrix, optional = cell_trace.weights.ih.cpu().numpy(), cell_trace.weights[1:]
        recurrent, *vectors, peephole = [None if w is None else w.cpu().numpy() for w in optional]
        hidden = cell_trace.hidden[:, DRAWN].cpu().numpy()
        inputs.append(_products(_read(one), matrix, real))
        biases += [vector for vector in vectors if vector is not None]
        if recurrent is not None:
            states.append(_products(np.concatenate([state[None], hidden[:-1]]), recurrent, real))
        if peephole is not None:
            peepholes.append(peephole)
        state = hidden[real - 1]
    passes, gates = len(trace.passes), (kind.blocks, units)
    return Preactivations(
        from_input=np.concatenate(inputs).reshape(-1, *gates),
        from_state=np.concatenate(states).reshape(-1, *gates) if states else None,
        biases=np.stack(biases).reshape(passes, -1, *gates),
        peepholes=np.stack(peepholes).reshape(passes, -1, units) if peepholes else None,
    )


def _read(one: ForwardPass) -> np.ndarray:
    """What the top layer read of the drawn sequence, (T, I): the network's input, or the states of the layer below."""
    if len(one.cell_traces) == 1:
        return one.inputs[:, DRAWN].cpu().numpy()
    below = [
        flip(cell_trace.hidden, one.lengths) if d else cell_trace.hidden
        for d, cell_trace in enumerate(one.cell_traces[-2])
    ]
    return np.concatenate([states[:, DRAWN].cpu().numpy() for states in below], axis=-1)


def _products(vectors: np.ndarray, matrix: np.ndarray, real: int) -> np.ndarray:
    """The matrix times the vector of every step, (T, rows); 0 after the end of the sequence."""
    with np.errstate(over="ignore", invalid="ignore"):  # exploding networks are expected
        products = vectors @ matrix.T
    products[real:] = 0
    return products
