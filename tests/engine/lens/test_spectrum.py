"""What a frame shows of the recurrent weights as a map: eigenvalues, and products within bounds."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest
import torch

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.frame.readings import Spectrum
from engine.lens import eigenvalues, jacobian_products
from engine.lens.forward_trace import ForwardTrace, trace_forward
from engine.lens.on_demand import compute_on_demand
from engine.lens.spectrum import MAX_LAGS, frame_lags, largest_singular_values, spectrum_of
from engine.model import RecurrentNetwork, build
from engine.tasks import TASKS, Batch, sample
from tests.engine.networks import LINKED, case


def drawn(**settings: object) -> tuple[RecurrentNetwork, Batch, ForwardTrace]:
    e = Experiment(**{"task": "adding", "hidden_size": 6, "seq_len": 40, **settings})
    model, batch = build(e), sample(e, 2, 3)
    return model, batch, trace_forward(model, batch).single_sequence(0)


# ---- the weights


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one-way", "two-way"])
@LINKED
def test_eigenvalues_are_those_of_each_gates_block(cell, bidirectional):
    """Each one makes W - lambda I singular, and they add up to the trace and multiply to the determinant."""
    model, _ = case("many_to_many", np.array([5]), cell=cell, num_layers=2, bidirectional=bidirectional)
    result, sizes = eigenvalues(model), largest_singular_values(model)
    if cell.startswith("linear"):  # nothing is multiplied with the state
        assert result == sizes == {}
        return
    assert list(result) == list(sizes) == list(CELLS[cell].gates)
    for layer in range(2):
        for d in range(1 + bidirectional):
            suffix = f"_l{layer}" + ("_reverse" if d else "")
            if cell == "indrnn":
                weights = np.diag(getattr(model.recurrent, "weight_u" + suffix).detach().numpy())
            else:
                weights = getattr(model.recurrent, "weight_hh" + suffix).detach().numpy()
            for gate, block in enumerate(np.split(weights, len(result))):
                values = result[CELLS[cell].gates[gate]][layer, d]
                assert values.shape == (5,) and np.isclose(values.sum(), np.trace(block))
                assert np.isclose(values.prod(), np.linalg.det(block))
                singular = [np.linalg.svd(block - each * np.eye(5), compute_uv=False)[-1] for each in values]
                assert np.max(singular) < 1e-9
                assert (np.diff(np.abs(values)) < 1e-12).all()
                assert sizes[CELLS[cell].gates[gate]][layer, d] == pytest.approx(np.linalg.norm(block, 2))


def test_a_rotation_has_a_pair_on_the_circle():
    model, _, _ = drawn(cell="rnn", hidden_size=2)
    with torch.no_grad():
        model.recurrent.weight_hh_l0.copy_(torch.tensor([[0.6, -0.8], [0.8, 0.6]]))
    values = eigenvalues(model)["hidden"][0, 0]
    assert np.allclose(sorted(values.imag), [-0.8, 0.8]) and np.allclose(values.real, 0.6)


def test_of_an_encoder_decoder_the_decoder():
    e = Experiment(task="reverse", rnn_type="encoder_decoder", cell="gru", hidden_size=4)
    model = build(e).double()
    blocks = np.split(model.decoder.weight_hh_l0.detach().numpy(), 3)
    for block, values in zip(blocks, eigenvalues(model).values(), strict=True):
        assert np.isclose(values[0, 0].sum(), np.trace(block))


@pytest.mark.parametrize("seed", range(5))
def test_weights_of_a_default_rnn(seed):
    """Uniform numbers up to 1/sqrt(64): a disc of radius 1/sqrt(3), and a largest singular value of twice that."""
    model = build(Experiment(cell="rnn", hidden_size=64, seed=seed))
    assert 0.53 < np.abs(eigenvalues(model)["hidden"]).max() < 0.75
    assert 1.0 < largest_singular_values(model)["hidden"][0, 0] < 1.25


def test_a_cell_without_links_has_no_such_map():
    model, _, trace = drawn(cell="feedforward")
    assert eigenvalues(model) == {} and largest_singular_values(model) == {}
    assert compute_on_demand(trace, ["spectrum"]) == {}


# ---- the products of a frame


@LINKED
def test_a_frame_says_what_the_whole_reading_says(cell):
    model, batch, trace = drawn(cell=cell, num_layers=2, bidirectional=True)
    seen = compute_on_demand(trace, ["spectrum"])["spectrum"]
    products = seen.products
    assert isinstance(seen, Spectrum) and products.step_norm is None and products.singular_values is None
    whole = jacobian_products(model, batch, lags=products.lags)
    assert (whole.norm > 0).all() and np.allclose(products.norm, whole.norm, rtol=1e-4, atol=0)
    assert products.lags[-1] == 39 and products.lyapunov.shape == (2, 2, 1)
    assert np.allclose(products.lyapunov[..., 0], np.log(whole.norm[..., -1]) / 39, atol=1e-5)
    assert set(seen.eigenvalues) == set(() if cell.startswith("linear") else CELLS[cell].gates)


def test_it_is_taken_only_when_somebody_asks():
    _, _, trace = drawn(cell="gru")
    assert compute_on_demand(trace, ["decomposition"]).get("spectrum") is None
    again = pickle.loads(pickle.dumps(compute_on_demand(trace, ["spectrum"])["spectrum"]))
    assert not again.products.norm.flags.writeable and not again.eigenvalues["candidate"].flags.writeable


@pytest.mark.parametrize("links", [1, 2, 7, 39, 99, 999])
def test_lags_are_few_and_reach_from_one_step_to_the_whole_chain(links):
    lags = frame_lags(links, 64)
    assert lags[0] == 1 and lags[-1] == links
    assert len(lags) == len(set(lags)) <= MAX_LAGS and lags == sorted(lags)
    assert len(lags) >= min(links, 5)
    assert frame_lags(0, 64) == []


def test_the_tasks_own_lag_is_one_of_them():
    assert 50 in frame_lags(99, 64, 50) and 50 not in frame_lags(99, 64)
    assert 50 not in frame_lags(40, 64, 50) and 0 not in frame_lags(40, 64, 0)
    _, _, trace = drawn(task="temporal_order", cell="rnn", seq_len=30)
    lag = TASKS["temporal_order"].lag(trace.model.experiment)
    result = spectrum_of(trace, lag).products.lags
    assert lag == 26 and lag not in frame_lags(29, 6) and set(result) == {*frame_lags(29, 6), lag}


@pytest.mark.parametrize(("links", "size", "chains"), [(99, 1024, 1), (999, 512, 1), (999, 1024, 8), (999, 128, 8)])
def test_large_networks_cost_a_frame_no_more(links, size, chains):
    lags = frame_lags(links, size, 50, chains)
    assert lags and chains * max(lags) * size**3 <= max(2**31, chains * size**3)
    assert chains * len(lags) * size**3 <= max(2**29, chains * size**3)


@pytest.mark.parametrize("weights", [(0.9, 0.8), (1e-3, 1e-4), (30.0, 0.5), (0.0, 0.0)])
def test_the_exponent_is_the_growth_of_the_longest_product(weights):
    """A diagonal map without a slope in between: ln of its largest number, also where 299 of them leave float64."""
    model, batch, _ = drawn(cell="rnn", nonlinearity="identity", hidden_size=80, seq_len=300)
    with torch.no_grad():
        model.recurrent.weight_hh_l0.copy_(torch.diag(torch.tensor([*weights, *[0.0] * 78])))
    inputs = dataclasses.replace(batch, inputs=np.zeros_like(batch.inputs))
    for parameter in (model.recurrent.bias_ih_l0, model.recurrent.bias_hh_l0):
        parameter.data.fill_(0.0)
    products = spectrum_of(trace_forward(model, inputs).single_sequence(0)).products
    if not any(weights):
        assert np.isneginf(products.lyapunov).all() and not products.norm.any()
        return
    rate, ends = np.log(max(weights)), np.log([np.finfo(float).tiny, np.finfo(float).max])
    assert np.allclose(products.lyapunov, rate, atol=1e-5)
    assert np.allclose(np.log(products.norm[0, 0]), np.clip(rate * products.lags, *ends), rtol=1e-6, atol=1e-4)


def test_a_chain_that_keeps_all_lengths_has_exponent_0():
    _, _, trace = drawn(cell="rnn", nonlinearity="identity", hidden_size=80, init="orthogonal")
    products = spectrum_of(trace).products
    assert np.abs(products.lyapunov).max() < 1e-5 and np.allclose(products.norm, 1, atol=1e-4)
    assert products.spectral_radius is None and products.half_life() > 1e4


def test_numbers_that_are_not_finite_do_not_stop_a_frame():
    for cell in ("rnn", "gru", "lstm", "lstm_peephole"):
        model, batch, _ = drawn(cell=cell)
        inputs = batch.inputs.copy()
        inputs[7] = np.inf
        broken = spectrum_of(trace_forward(model, dataclasses.replace(batch, inputs=inputs)).single_sequence(0))
        assert np.isnan(broken.products.norm[0, 0, -1]) and np.isnan(broken.products.lyapunov).all()
        assert all(np.isfinite(values).all() for values in broken.eigenvalues.values())
        with torch.no_grad():
            model.recurrent.weight_hh_l0[0, 0] = torch.nan
        broken = spectrum_of(trace_forward(model, batch).single_sequence(0))
        first, *others = broken.eigenvalues.values()
        assert np.isnan(first).all() and all(np.isfinite(values).all() for values in others)
        assert np.isnan(next(iter(broken.largest_singular_value.values()))).all()
        assert np.isnan(broken.products.norm[0, 0, -1])
