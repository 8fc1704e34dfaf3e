"""The preactivations of a frame: W_ih x_t, W_hh h_{t-1}, biases and vectors of every gate, before its nonlinearity.

Of the drawn sequence in the top layer, in NumPy.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from torch import Tensor

from engine.cells import CELLS, Cell
from engine.cells.numpy_ops import NumpyOps
from engine.frame.readings import Preactivations
from engine.layers.reverse_sequence import flip
from engine.layers.weights import Weights
from engine.lens.forward_trace import DRAWN, ForwardPass, ForwardTrace


def preactivations(trace: ForwardTrace) -> Preactivations:
    """Recompute the preactivations of the drawn sequence in the top layer. Changes nothing."""
    e = trace.model.experiment
    cell = CELLS[e.cell]
    last = {state: np.zeros(e.hidden_size, np.float32) for state in cell.states}  # of the previous pass
    terms = []
    for one in trace.passes:
        cell_trace, real = one.cell_traces[-1][0], int(one.lengths[DRAWN])
        new = {
            state: values[:, DRAWN].cpu().numpy()
            for state, values in (("h", cell_trace.hidden), ("c", cell_trace.cell))
            if values is not None
        }
        old = {state: np.concatenate([last[state][None], new[state][:-1]]) for state in cell.states}
        terms.append(_terms(cell, e.nonlinearity, cell_trace.weights, _read(one), old, real))
        last = {state: new[state][real - 1] for state in cell.states}
    from_state = [one.from_state for one in terms if one.from_state is not None]
    return Preactivations(
        from_input=np.concatenate([one.from_input for one in terms]),
        from_state=np.concatenate(from_state) if from_state else None,
        biases=np.concatenate([one.biases for one in terms]),
        vectors={name: np.concatenate([one.vectors[name] for one in terms]) for name in terms[0].vectors},
    )


def _terms(
    cell: Cell, nonlinearity: str, weights: Weights, inputs: np.ndarray, old: dict[str, np.ndarray], real: int
) -> Preactivations:
    """The terms of one pass.

    Args:
        inputs: (T, I), what the layer read. old: {state: (T, units)}, the states before each step. real: the number of
            steps before padding.
    """
    units = old["h"].shape[-1]
    gates = (cell.blocks, units)
    matrix = None if weights.hh is None else _array(weights.hh)
    from_input = _products(inputs, _array(weights.ih), real).reshape(-1, *gates)
    biases = [_array(bias) for bias in (weights.bias_ih, weights.bias_hh) if bias is not None]
    terms = Preactivations(
        from_input=from_input,
        from_state=None if matrix is None else _products(old["h"], matrix, real).reshape(-1, *gates),
        biases=np.array(biases, from_input.dtype).reshape(1, -1, *gates),
        vectors={name: _array(vector).reshape(1, -1, units) for name, vector in weights.vectors.items()},
    )
    if matrix is None or None not in cell.structure.state_reads.values():
        return terms
    from_state = _with_products_found(cell, nonlinearity, terms, matrix, old)
    from_state[real:] = 0
    return dataclasses.replace(terms, from_state=from_state)


def _with_products_found(
    cell: Cell, nonlinearity: str, terms: Preactivations, matrix: np.ndarray, old: dict[str, np.ndarray]
) -> np.ndarray:
    """`from_state`, where a product that reads something made of old states has it from running the step."""
    vectors = {name: vector[0] for name, vector in terms.vectors.items()}
    ops = NumpyOps(cell, nonlinearity, terms.from_input, terms.from_state, terms.biases[0], vectors, matrix)
    with np.errstate(all="ignore"):  # exploding networks are expected
        cell.step(ops, None, lambda path, state: old[state])
    assert terms.from_state is not None
    from_state = terms.from_state.copy()
    for letter, product in ops.state_products.items():
        from_state[:, cell.letters.index(letter)] = product
    return from_state


def _array(values: Tensor) -> np.ndarray:
    return values.cpu().numpy()


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
