"""A step in which values are replaced: whatever the step goes on to use is what took their place."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from engine.cells import CELLS
from engine.cells.changed_step import StepChanges, changed_step
from engine.cells.numpy_ops import NumpyOps

UNITS = 3


def numpy_ops(cell, rng: np.random.Generator) -> NumpyOps:
    shape = (cell.blocks, UNITS)
    vectors = {vector.name: rng.normal(size=(len(vector.symbols), UNITS)) for vector in cell.vectors}
    return NumpyOps(cell, "tanh", rng.normal(size=shape), rng.normal(size=shape), rng.normal(size=(2, *shape)), vectors)


def read(path: str, state: str) -> np.ndarray:
    return np.array([0.4, -0.3, 0.2]) * (1 if state == "h" else 2)


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_without_changes_it_is_the_cells_own_step(cell):
    ops = numpy_ops(cell, np.random.default_rng(1))
    for own, other in zip(cell.step(ops, None, read), changed_step(cell, ops, None, read, StepChanges()), strict=True):
        assert own.keys() == other.keys() and all(np.array_equal(own[name], other[name]) for name in own)


def test_gates_states_and_what_is_read_are_replaced():
    cell = CELLS["lstm"]
    ops, half, one = numpy_ops(cell, np.random.default_rng(1)), np.full(UNITS, 0.5), np.ones(UNITS)
    own, _ = cell.step(ops, None, read)
    values, states = changed_step(cell, ops, None, read, StepChanges({"f": lambda f: half}))
    c = 0.5 * read("kept", "c") + own["i"] * own["g"]
    assert np.array_equal(states["c"], c) and np.array_equal(states["h"], own["o"] * np.tanh(c))
    assert np.array_equal(values["f"], half) and np.array_equal(values["i"], own["i"])
    _, states = changed_step(cell, ops, None, read, StepChanges(states={"c": lambda c: one, "h": lambda h: h + 1}))
    assert np.array_equal(states["h"], own["o"] * np.tanh(one) + 1)  # h is made of the c that was set
    _, states = changed_step(cell, ops, None, read, StepChanges(old=lambda old: 0 * old))
    assert np.array_equal(states["c"], own["i"] * own["g"])


def test_a_gate_that_is_made_of_another_value_can_be_held():
    """As MGU's z = 1 - f, which `CONTRIBUTING.md` asks for."""

    def step(ops, x, s):
        f = ops.sigmoid(ops.W_ih("z", x) + ops.W_hh("z", s("gates", "h")))
        n = ops.tanh(ops.W_ih("n", x) + ops.W_hh("n", f * s("candidate", "h")))
        z = 1 - f
        return {"z": z, "n": n}, {"h": z * s("kept", "h") + f * n}

    cell = dataclasses.replace(CELLS["gru_simple"], step=step, state_arguments={"n": "f"})
    ops = numpy_ops(cell, np.random.default_rng(1))
    own, _ = cell.step(ops, None, read)
    values, states = changed_step(cell, ops, None, read, StepChanges({"z": lambda z: np.zeros(UNITS)}))
    np.testing.assert_allclose(states["h"], (1 - own["z"]) * own["n"])
    assert not values["z"].any()
