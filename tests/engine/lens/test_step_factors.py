"""Who shrank it: every step back, taken apart by differentiating that one step of the textbook loop anew."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.lens import gradient_flow, omega, step_factors
from engine.tasks import sample
from tests import reference_unroll as reference
from tests.cases import grid, in_turn
from tests.engine.lens.conftest import assert_factors_are_right, expected_factors
from tests.engine.networks import FULL, LINKED, NETWORKS, PADDED, TYPES, case, lively, name_of

LENGTHS = np.array([7, 4])


# ---- against autograd


@pytest.mark.parametrize(
    ("network", "rnn_type", "num_layers"), grid(NETWORKS, TYPES, [1, 2], kept=in_turn), ids=name_of
)
def test_one_way(network, rnn_type, num_layers):
    model, batch = case(rnn_type, LENGTHS, num_layers=num_layers, **network)
    for b, length in enumerate(LENGTHS):
        result = assert_factors_are_right(model, batch, b)
        assert np.isnan(result.factor[:, :, 0]).all() and np.isnan(result.factor[:, :, length:]).all()
        if network["cell"] not in ("feedforward", "indrnn") and network.get("nonlinearity") != "relu":
            last = np.flatnonzero(batch.counted[:, b])[-1]
            assert np.isfinite(result.factor[:, :, 1 : last + 1]).all()


@LINKED
def test_both_ways(cell):
    """The step before t is t + 1 in the reverse direction, whose first step is each sequence's own last."""
    model, batch = case("many_to_many", LENGTHS, cell=cell, num_layers=2, bidirectional=True, output_layers=1)
    single, same = case("many_to_one", LENGTHS, cell=cell, bidirectional=True)
    for b, length in enumerate(LENGTHS):
        assert_factors_are_right(model, batch, b, ("last", "first", 2))
        result = assert_factors_are_right(single, same, b, ("last",))
        assert np.isnan(result.factor[:, 1, length - 1]).all() and np.isfinite(result.factor[:, 1, : length - 1]).all()


@LINKED
def test_from_the_target_side_into_the_source(cell):
    e = Experiment(task="reverse", rnn_type="encoder_decoder", cell=cell, hidden_size=5, num_layers=2, seq_len=5)
    model, batch = lively(e), sample(e, 4, 20)
    for b in (0, 1):
        result = assert_factors_are_right(model, batch, b, ("last", "all"))
        assert np.isfinite(result.factor[:, :, batch.source_steps]).all()


@LINKED
def test_truncation(cell):
    """At a cut nothing arrives, beyond it nothing is left to be divided."""
    model, batch = case("many_to_many", np.array([9, 6]), cell=cell, tbptt=4, num_layers=2)  # cut before 1 and before 5
    for b in (0, 1):
        assert_factors_are_right(model, batch, b)
    factor = step_factors(model, batch, loss="last").factor
    assert not factor[:, :, 5].any() and np.isnan(factor[:, :, :5]).all() and (factor[:, :, 6:] > 0).all()
    assert not step_factors(model, batch, loss="all").factor[:, :, [1, 5]].any()


@LINKED
def test_factors_multiply_to_the_ratio_of_norms(cell):
    """In one layer with its loss at the end all that arrives has come through time."""
    for lengths in (FULL, PADDED):
        model, batch = case("many_to_one", lengths, cell=cell)
        flow = gradient_flow(model, batch)
        memory = flow.grad_hidden if flow.grad_cell is None else flow.grad_cell
        for b, length in enumerate(lengths):
            norms = np.linalg.norm(memory[0, 0, :length, b], axis=-1)
            product = np.cumprod(step_factors(model, batch, b).factor[0, 0, length - 1 : 0 : -1])
            assert np.allclose(product, norms[-2::-1] / norms[-1], rtol=1e-9, atol=0)


# ---- closed forms


@pytest.mark.parametrize("alpha", [0.5, 1.0, 1.25])
def test_scaled_identity(alpha):
    """W_hh = alpha I and no activation: weights alpha, slope 1, Omega (alpha - 1)^2 for every step."""
    model, batch = case("many_to_one", np.array([9, 9, 9]), cell="rnn", nonlinearity="identity")
    with torch.no_grad():
        model.recurrent.weight_hh_l0.copy_(alpha * torch.eye(5))
    result = step_factors(model, batch)
    assert np.allclose(result.weights[0, 0, 1:], alpha, rtol=1e-12) and np.allclose(
        result.slope[0, 0, 1:], 1, rtol=1e-12
    )
    assert np.allclose(result.factor[0, 0, 1:], alpha, rtol=1e-12) and result.shares == {}
    assert omega(model, batch) == pytest.approx(8 * (alpha - 1) ** 2, rel=1e-9, abs=1e-15)


def test_an_orthogonal_network_keeps_every_norm():
    model, batch = case("many_to_one", np.array([24, 24]), cell="rnn", nonlinearity="identity")
    with torch.no_grad():
        model.recurrent.weight_hh_l0.copy_(torch.linalg.qr(model.recurrent.weight_hh_l0)[0])
    assert np.abs(step_factors(model, batch).factor[0, 0, 1:] - 1).max() < 1e-9
    assert omega(model, batch)[0, 0] < 1e-9


@pytest.mark.parametrize("bias", [-1.0, 0.0, 3.0])
@pytest.mark.parametrize("cell", ["lstm", "lstm_peephole", "lstm_no_forget"])
def test_all_that_is_left_of_an_lstm_without_weights_is_its_forget_gate(cell, bias):
    model, batch = case("many_to_one", FULL, cell=cell)
    with torch.no_grad():
        for parameter in model.recurrent.parameters():
            parameter.zero_()
        if cell != "lstm_no_forget":
            model.recurrent.bias_ih_l0[5:10] = bias
    result = step_factors(model, batch)
    expected = 1.0 if cell == "lstm_no_forget" else 1 / (1 + np.exp(-bias))
    assert np.allclose(result.factor[0, 0, 1:], expected, rtol=1e-12)
    assert np.allclose(result.shares["kept"][0, 0, 1:], 1, rtol=1e-12)
    assert np.allclose(result.shares["other roads"][0, 0, 1:], 0, atol=1e-12)
    assert result.slope is None and result.weights is None


@pytest.mark.parametrize("cell", ["gru", "gru_simple"])
def test_all_that_is_left_of_a_gru_without_weights_is_its_update_gate(cell):
    model, batch = case("many_to_one", FULL, cell=cell)
    with torch.no_grad():
        for parameter in model.recurrent.parameters():
            parameter.zero_()
    result = step_factors(model, batch)
    assert (result.factor[0, 0, 1:] == 0.5).all()
    for name, share in result.shares.items():
        assert share[0, 0, 1:] == pytest.approx(float(name == "kept"), abs=1e-12)


def test_a_relu_passes_on_the_share_of_its_units_that_are_alive():
    """Two of four equal parts of dL/dh meet a slope of 1, two a slope of 0: sqrt(2 / 4) is left."""
    model, batch = case("many_to_one", np.array([3]), cell="rnn", nonlinearity="relu", hidden_size=4)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.recurrent.weight_hh_l0.copy_(torch.eye(4))
        model.recurrent.bias_ih_l0.copy_(torch.tensor([1.0, 1.0, -1.0, -1.0]))
        model.head.weight.fill_(1.0)
    result = step_factors(model, batch)
    assert result.slope[0, 0, 2] == pytest.approx(np.sqrt(0.5), rel=1e-12)
    assert result.weights[0, 0, 1:].tolist() == [1.0, 1.0] and result.slope[0, 0, 1] == 1.0


@pytest.mark.parametrize(("cell", "settings"), [("rnn", {}), ("rnn", {"bidirectional": True, "num_layers": 2}),
                                                ("gru", {}), ("lstm", {})])  # fmt: skip
def test_omega_is_the_mean_over_the_batch_of_the_whole_loss(cell, settings):
    model, batch = case("many_to_many", PADDED, cell=cell, **settings)
    each = [expected_factors(reference.unroll(model, batch.single_sequence(b)), "all")["factor"] for b in range(3)]
    expected = np.mean([np.nansum((factor - 1) ** 2, axis=-1) for factor in each], axis=0)
    assert expected.min() > 1e-3
    np.testing.assert_allclose(omega(model, batch), expected, rtol=1e-9)


def test_no_gradient_no_factor():
    """After the only step with a loss nothing comes back: there is nothing to divide by, in no cell."""
    for cell in CELLS:
        model, batch = case("many_to_many", FULL, cell=cell)
        result = step_factors(model, batch, loss=3)
        for values in (result.factor, result.slope, result.weights, *result.shares.values()):
            assert values is None or np.isnan(values[:, :, 4:]).all()


def test_digits_that_float64_has_lost_make_no_factor():
    """dL/dh falls below 1e-308: until there the factor is that of every other step, from there on it is unknown."""
    e = Experiment(cell="rnn", nonlinearity="identity", hidden_size=4, seq_len=600)
    for model in (lively(e), lively(e).float()):
        with torch.no_grad():
            model.recurrent.weight_hh_l0.copy_(0.25 * torch.eye(4))
        factor = step_factors(model, sample(e, 1, 1)).factor[0, 0]
        known = np.isfinite(factor)
        assert np.allclose(factor[known], 0.25, rtol=1e-6) and known[-400:].all() and not known[:50].any()
