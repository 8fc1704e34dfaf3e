"""The lines of theory across a map of gains, against networks for which they are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from engine.experiment import Experiment
from engine.lens.gain_lines import (
    gain_of_certain_vanishing,
    gain_of_unit_radius,
    gain_of_zero_exponent,
    largest_exponents,
)
from engine.model import build

BASE = Experiment(task="adding", cell="rnn", hidden_size=12, seq_len=10, init="gaussian", seed=3)


def weights(e: Experiment) -> np.ndarray:
    return build(e).recurrent.weight_hh_l0.detach().double().numpy()


def test_at_its_gain_the_matrix_has_radius_and_norm_1():
    radius, norm = gain_of_unit_radius(BASE), gain_of_certain_vanishing(BASE)
    assert 0 < norm < radius
    at_radius, at_norm = weights(BASE.replace(init_gain=radius)), weights(BASE.replace(init_gain=norm))
    assert np.abs(np.linalg.eigvals(at_radius)).max() == pytest.approx(1, rel=1e-5)
    assert np.linalg.norm(at_norm, 2) == pytest.approx(1, rel=1e-5)


def test_the_lines_do_not_depend_on_the_experiments_own_gain():
    assert gain_of_unit_radius(BASE.replace(init_gain=3.0)) == gain_of_unit_radius(BASE)


def test_of_an_orthogonal_matrix_both_lines_are_at_gain_1_and_at_4_for_a_sigmoid():
    e = BASE.replace(init="orthogonal")
    assert gain_of_unit_radius(e) == pytest.approx(1, rel=1e-5)
    assert gain_of_certain_vanishing(e) == pytest.approx(1, rel=1e-5)
    assert gain_of_certain_vanishing(e.replace(nonlinearity="sigmoid")) == pytest.approx(4, rel=1e-5)


def test_the_layer_with_the_largest_radius_counts():
    two = BASE.replace(num_layers=2)
    layers = [build(two).recurrent.get_parameter(f"weight_hh_l{layer}").detach() for layer in range(2)]
    largest = max(float(torch.linalg.eigvals(each).abs().max()) for each in layers)
    assert gain_of_unit_radius(two) == pytest.approx(1 / largest, rel=1e-5)


def test_below_the_norms_line_the_exponent_is_negative():
    norm = gain_of_certain_vanishing(BASE)
    exponents = largest_exponents(BASE, [0.5 * norm, norm])
    assert exponents[0] < math.log(0.5) and exponents[1] < 0


def test_without_an_activation_the_exponent_is_the_logarithm_of_the_gain():
    """An orthogonal matrix neither shrinks nor stretches."""
    linear = BASE.replace(init="orthogonal", nonlinearity="identity")
    gains = [0.5, 1.0, 2.0]
    exponents = largest_exponents(linear, gains)
    assert exponents == pytest.approx(np.log(gains), abs=1e-5)
    assert gain_of_zero_exponent([0.25, 4.0], np.log([0.25, 4.0])) == pytest.approx(1)


def test_a_tanh_network_becomes_chaotic_above_the_radius_line():
    """States away from 0 have smaller slopes, so chaos needs a larger gain than radius 1."""
    gains = np.geomspace(0.5, 8, 5)
    e = BASE.replace(hidden_size=32)
    chaos = gain_of_zero_exponent(gains, largest_exponents(e, gains))
    assert gain_of_unit_radius(e) < chaos < 8


@pytest.mark.parametrize(
    ("exponents", "gain"),
    [
        ([-1.0, -0.5, 0.5], math.sqrt(2 * 4)),
        ([-1.0, 0.5, -0.5], 2 ** (2 / 3)),
        ([-np.inf, 1.0, 2.0], 2.0),
        ([-1.0, -0.5, -0.1], None),
        ([0.1, 0.2, 0.3], None),
    ],
)
def test_where_the_exponent_becomes_positive(exponents, gain):
    assert gain_of_zero_exponent([1.0, 2.0, 4.0], exponents) == pytest.approx(gain)


@pytest.mark.parametrize("cell", ["gru", "lstm", "feedforward"])
def test_cells_with_gates_or_without_recurrence_have_no_line_of_the_matrix(cell):
    e = BASE.replace(cell=cell)
    assert gain_of_unit_radius(e) is None and gain_of_certain_vanishing(e) is None
