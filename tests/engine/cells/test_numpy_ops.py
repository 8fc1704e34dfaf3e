"""A step in NumPy, from its products, gives what the same step gives in PyTorch, from its weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import layer_norm, linear

from engine.cells import CELLS
from engine.cells.numpy_ops import NumpyOps, activated

STEPS, INPUTS, UNITS = 5, 3, 4
PHI = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "identity": lambda a: a}
KINDS = [(cell, phi) for cell in CELLS for phi in (PHI if CELLS[cell].uses_nonlinearity else ["tanh"])]


class TorchOps:
    """The operations with PyTorch's own functions; keeps the products without biases."""

    sigmoid, tanh, relu = staticmethod(torch.sigmoid), staticmethod(torch.tanh), staticmethod(torch.relu)

    def __init__(self, cell: str, nonlinearity: str, weights: dict[str, torch.Tensor]) -> None:
        self.cell, self.weights, self.phi = CELLS[cell], weights, PHI[nonlinearity]
        self.products: dict[str, dict[str, torch.Tensor]] = {"ih": {}, "hh": {}}

    def _product(self, which: str, gate: str, x: torch.Tensor) -> torch.Tensor:
        at = self.cell.letters.index(gate)
        product = self.products[which][gate] = linear(x, self.weights[f"weight_{which}"].chunk(self.cell.blocks)[at])
        bias = self.weights.get(f"bias_{which}")
        return product if bias is None else product + bias.chunk(self.cell.blocks)[at]

    def W_ih(self, gate: str, x: torch.Tensor) -> torch.Tensor:
        return self._product("ih", gate, x)

    def W_hh(self, gate: str, h: torch.Tensor) -> torch.Tensor:
        return self._product("hh", gate, h)

    def vector(self, symbol: str) -> torch.Tensor:
        vector = next(vector for vector in self.cell.vectors if symbol in vector.symbols)
        return self.weights[vector.name].chunk(len(vector.symbols))[vector.symbols.index(symbol)]

    def layer_norm(self, parts: list[torch.Tensor], gain: str, shift: str) -> tuple[torch.Tensor, ...]:
        joined = torch.cat(parts, -1)
        return layer_norm(joined, joined.shape[-1:], self.weights[gain], self.weights[shift]).chunk(len(parts), -1)

    def state(self, name: str, value: torch.Tensor) -> torch.Tensor:
        return value


def both(cell: str, nonlinearity: str) -> tuple[NumpyOps, TorchOps, dict[str, torch.Tensor], dict[str, Any]]:
    """The operations in NumPy from the products of those in PyTorch, the old states, and what the step gave there."""
    draw, kind = torch.Generator().manual_seed(0), CELLS[cell]
    weights = {
        name: torch.randn(shape, generator=draw, dtype=torch.float64)
        for name, shape in kind.shapes(INPUTS, UNITS).items()
    }
    x = torch.randn(STEPS, INPUTS, generator=draw, dtype=torch.float64)
    old = {state: torch.randn(STEPS, UNITS, generator=draw, dtype=torch.float64) for state in kind.states}
    theirs = TorchOps(cell, nonlinearity, weights)
    values, states = kind.step(theirs, x, lambda path, state: old[state])
    stacked = {
        which: np.stack([products[letter].numpy() for letter in kind.letters], -2) if products else None
        for which, products in theirs.products.items()
    }
    biases = [weights[name].numpy() for name in ("bias_ih", "bias_hh") if name in weights]
    vectors = {vector.name: weights[vector.name].numpy().reshape(-1, UNITS) for vector in kind.vectors}
    ours = NumpyOps(kind, nonlinearity, stacked["ih"], stacked["hh"],
                    np.array(biases).reshape(-1, kind.blocks, UNITS), vectors)  # fmt: skip
    return ours, theirs, old, values | states


@pytest.mark.parametrize(("cell", "nonlinearity"), KINDS)
def test_the_step_gives_what_it_gives_in_pytorch(cell, nonlinearity):
    ours, _, old, expected = both(cell, nonlinearity)
    values, states = CELLS[cell].step(ours, None, lambda path, state: old[state].numpy())
    for name, value in (values | states).items():
        np.testing.assert_allclose(value, expected[name].numpy(), rtol=1e-12, atol=1e-14, err_msg=name)


@pytest.mark.parametrize("cell", [cell for cell in CELLS if None in CELLS[cell].structure.state_reads.values()])
def test_a_product_of_something_made_of_old_states_is_found_with_the_matrix(cell):
    ours, theirs, old, expected = both(cell, "tanh")
    made = [letter for letter, path in CELLS[cell].structure.state_reads.items() if path is None]
    ours.from_state[:, [CELLS[cell].letters.index(letter) for letter in made]] = np.nan
    ours.weight_hh = theirs.weights["weight_hh"].numpy()
    _, states = CELLS[cell].step(ours, None, lambda path, state: old[state].numpy())
    np.testing.assert_allclose(states["h"], expected["h"].numpy(), rtol=1e-12)
    assert set(ours.state_products) == set(made)
    for letter, product in ours.state_products.items():
        np.testing.assert_allclose(product, theirs.products["hh"][letter].numpy(), rtol=1e-12)


def test_an_activation_is_known_by_its_result():
    ours, _, old, _ = both("gru", "tanh")
    values, states = CELLS["gru"].step(ours, None, lambda path, state: old[state].numpy())
    reset, new = ours.activation_of(values["r"]), ours.activation_of(values["n"])
    assert (reset.name, new.name) == ("sigmoid", "tanh")
    np.testing.assert_allclose(reset.argument, ours.from_input[:, 0] + ours.from_state[:, 0] + ours.biases[:, 0].sum(0))
    np.testing.assert_array_equal(np.tanh(new.argument), values["n"])
    assert ours.activation_of(states["h"]) is None and ours.activation_of(values["r"].copy()) is None


def test_a_vector_that_the_cell_does_not_have_is_refused():
    with pytest.raises(KeyError, match="p_i"):
        both("gru", "tanh")[0].vector("p_i")


def test_a_sigmoid_keeps_its_digits_and_its_type_where_it_is_small():
    argument = np.array([-1000, -80, 0, 80, 1000], np.float32)
    with np.errstate(all="raise", under="ignore"):
        result = activated("sigmoid", argument)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, [0, np.exp(-80.0), 0.5, 1, 1], rtol=1e-6)
