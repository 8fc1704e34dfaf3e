"""The terms of every gate before its nonlinearity: W_ih x_t, W_hh times the state before, biases and vectors.

Of the drawn sequence in one layer and direction, in NumPy.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor

from engine.cells.changed_step import Change, StepChanges, changed_step
from engine.cells.numpy_ops import NumpyOps
from engine.frame.readings import ChainTerms, Preactivations
from engine.layers.cell_trace import CellTrace
from engine.lens.forward_trace import DRAWN, LayersTrace


def chain_terms(trace: LayersTrace, layer: int, direction: int) -> ChainTerms | None:
    """Recompute the preactivations in one layer and direction; None if the network has no such chain."""
    layers, directions = trace.shape
    if not (0 <= layer < layers and 0 <= direction < directions):
        return None
    return ChainTerms(layer=layer, direction=direction, **vars(preactivations(trace, layer, direction)))


def preactivations(trace: LayersTrace, layer: int = -1, direction: int = 0) -> Preactivations:
    """Recompute the preactivations of the drawn sequence, by position on the time axis. Changes nothing."""
    terms: list[Preactivations] = []
    for one in trace.passes:
        if direction >= len(one.cell_traces[layer]):
            terms.append(_nowhere(terms[-1], len(one.output)))
            continue
        cell_trace, real = one.cell_traces[layer][direction], int(one.lengths[DRAWN])
        own = _terms(cell_trace, real)
        terms.append(_reversed(own, real) if direction else own)
    from_state = [one.from_state for one in terms if one.from_state is not None]
    return Preactivations(
        from_input=np.concatenate([one.from_input for one in terms]),
        from_state=np.concatenate(from_state) if from_state else None,
        biases=np.concatenate([one.biases for one in terms]),
        vectors={name: np.concatenate([one.vectors[name] for one in terms]) for name in terms[0].vectors},
    )


def _of_drawn(values: Tensor) -> np.ndarray:
    """(T, B, ...) to (T, ...)."""
    return _array(values[:, DRAWN])


def _reversed(terms: Preactivations, real: int) -> Preactivations:
    """From the reverse direction's own order to positions; padding stays at the end."""

    def by_position(values: np.ndarray) -> np.ndarray:
        return np.concatenate([values[:real][::-1], values[real:]])

    from_state = None if terms.from_state is None else by_position(terms.from_state)
    return dataclasses.replace(terms, from_input=by_position(terms.from_input), from_state=from_state)


def _nowhere(like: Preactivations, steps: int) -> Preactivations:
    """Zeros for a pass of so many steps that has no such chain."""
    from_input = np.zeros((steps, *like.from_input.shape[1:]), like.from_input.dtype)
    return Preactivations(
        from_input=from_input,
        from_state=None if like.from_state is None else np.zeros_like(from_input),
        biases=np.zeros_like(like.biases),
        vectors={name: np.zeros_like(vector) for name, vector in like.vectors.items()},
    )


def _terms(cell_trace: CellTrace, real: int) -> Preactivations:
    """The terms of one pass, in the direction's own time order.

    Args:
        real: the number of steps before padding.
    """
    cell, weights = cell_trace.kind, cell_trace.weights
    old = {state: np.ascontiguousarray(_of_drawn(values)) for state, values in cell_trace.before.items()}  # (T, units)
    gates = (cell.blocks, len(weights.ih) // cell.blocks)  # with `proj_size` h has fewer units
    matrix = None if weights.hh is None else _array(weights.hh)
    from_input = _products(_of_drawn(cell_trace.inputs), _array(weights.ih), real).reshape(-1, *gates)
    biases = [_array(bias) for bias in (weights.bias_ih, weights.bias_hh) if bias is not None]
    terms = Preactivations(
        from_input=from_input,
        from_state=None if matrix is None else _products(old["h"], matrix, real).reshape(-1, *gates),
        biases=np.array(biases, from_input.dtype).reshape(1, -1, *gates),
        vectors={name: _array(vector).reshape(1, -1, gates[1]) for name, vector in weights.vectors.items()},
    )
    if matrix is None or None not in cell.structure.state_reads.values():
        return terms
    vectors = {name: vector[0] for name, vector in terms.vectors.items()}
    ops = NumpyOps(cell, cell_trace.nonlinearity, terms.from_input, terms.from_state, terms.biases[0], vectors, matrix)
    from_state = _with_products_found(ops, old, cell_trace.step_changes(torch.arange(len(from_input))))
    from_state[real:] = 0
    return dataclasses.replace(terms, from_state=from_state)


def _with_products_found(ops: NumpyOps, old: dict[str, np.ndarray], changes: StepChanges | None) -> np.ndarray:
    """`from_state`, where a product that reads something made of old states has it from running the step."""

    def read(path: str, state: str) -> np.ndarray:
        return old[state]

    with np.errstate(all="ignore"):  # exploding networks are expected
        if changes is None:
            ops.cell.step(ops, None, read)
        else:
            gates = {letter: _in_numpy(change) for letter, change in changes.gates.items()}
            changed_step(ops.cell, ops, None, read, StepChanges(gates))
    assert ops.from_state is not None
    from_state = ops.from_state.copy()
    for letter, product in ops.state_products.items():
        from_state[:, ops.cell.letters.index(letter)] = product
    return from_state


def _in_numpy(change: Change) -> Change:
    return lambda computed: _array(change(torch.from_numpy(computed)))


def _array(values: Tensor) -> np.ndarray:
    return values.cpu().numpy()


def _products(vectors: np.ndarray, matrix: np.ndarray, real: int) -> np.ndarray:
    """The matrix times the vector of every step, (T, rows); 0 after the end of the sequence."""
    with np.errstate(over="ignore", invalid="ignore"):  # exploding networks are expected
        products = vectors @ matrix.T
    products[real:] = 0
    return products
