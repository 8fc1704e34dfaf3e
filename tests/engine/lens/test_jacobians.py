"""Jacobians of single steps and their products: against autograd on textbook cells, and against closed forms."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.frame.readings import JacobianProducts
from engine.lens import gradient_flow, jacobian_products, step_jacobians
from engine.lens.forward_trace import trace_forward
from engine.lens.jacobians import chains_of_steps
from engine.model import RecurrentNetwork, build
from engine.tasks import Batch, sample
from tests import reference_unroll as reference
from tests.cases import grid, in_turn
from tests.engine.networks import (
    FULL,
    LINKED,
    NETWORKS,
    PADDED,
    SEED_OF_MANY_LENGTHS,
    case,
    lively,
    name_of,
)

UNITS = 5  # of `case`
LINKED_NETWORKS = [network for network in NETWORKS if network["cell"] != "feedforward"]


def network(steps: int, hidden_size: int = 5, **settings: object) -> tuple[RecurrentNetwork, Batch]:
    """One float64 layer over sequences of `steps` steps, with the weights that the settings say."""
    e = Experiment(**{"task": "adding", "hidden_size": hidden_size, "seq_len": steps, **settings})
    return build(e).double(), sample(e, 2, 3)


def linear(weights: np.ndarray, steps: int) -> tuple[RecurrentNetwork, Batch]:
    """h_t = W h_{t-1} + what comes in."""
    model, batch = network(steps, len(weights), cell="rnn", nonlinearity="identity")
    with torch.no_grad():
        model.recurrent.weight_hh_l0.copy_(torch.tensor(weights))
    return model, batch


def textbook(model: RecurrentNetwork, batch: Batch, b: int = 0) -> dict[tuple[int, int], tuple[list[int], np.ndarray]]:
    """{(layer, direction): (positions, Jacobians)} by autograd on the textbook's step, one step at a time."""
    e, run, jacobians = model.experiment, reference.unroll(model, batch), {}
    two = CELLS[e.cell].has_cell_state
    for layer in range(e.num_layers):
        for d in range(e.directions):
            order, rows = run.order(layer, d, b), []
            for t in order[1:]:
                layers, x, h, c = (each.detach() if torch.is_tensor(each) else each
                                   for each in run.entered[layer, d, t, b])  # fmt: skip

                def after(state: torch.Tensor, given: tuple = (layers, layer, d, x, c)) -> torch.Tensor:
                    *where, c = given
                    parts = state.chunk(2) if two else (state, c)
                    return torch.cat(reference.step(model, *where, *parts)[: 1 + two])

                state = torch.cat([h, c]) if two else h
                rows.append(torch.autograd.functional.jacobian(after, state).numpy())
            jacobians[layer, d] = (order[1:], np.array(rows))
    return jacobians


def assert_jacobians_are_right(model: RecurrentNetwork, batch: Batch, sequence: int = 0) -> None:
    """Step by step, and what is read from them: NumPy's own norms of the textbook's Jacobians and their products."""
    result = step_jacobians(trace_forward(model, batch), sequence)
    lags = (3, 1, 2, 6)
    read = jacobian_products(model, batch, sequence, lags)
    for (layer, d), (positions, expected) in textbook(model, batch, sequence).items():
        where, jacobians = result[layer][d]
        assert where.tolist() == positions
        assert jacobians.shape == expected.shape and np.abs(jacobians - expected).max(initial=0) < 1e-12
        steps = np.full(len(batch.valid), np.nan)
        steps[positions] = [np.linalg.norm(each, 2) for each in expected]
        assert np.allclose(read.step_norm[layer, d], steps, atol=1e-9, equal_nan=True)
        steps[positions] = [np.abs(np.linalg.eigvals(each)).max() for each in expected]
        assert np.allclose(read.step_spectral_radius[layer, d], steps, atol=1e-9, equal_nan=True)
        product = np.eye(read.singular_values.shape[-1])
        for k in range(1, 7):
            product = product @ expected[-k] if k <= len(expected) else product * np.nan
            if k in lags:
                at = lags.index(k)
                assert_reads(read, (layer, d, at), product)


def assert_reads(read: JacobianProducts, at: tuple[int, int, int], product: np.ndarray) -> None:
    if np.isnan(product).any():
        assert np.isnan([read.norm[at], read.spectral_radius[at], *read.singular_values[at]]).all()
        return
    values = np.linalg.svd(product, compute_uv=False)
    assert np.allclose(read.singular_values[at], values, rtol=1e-9, atol=1e-12 * values[0])
    assert read.norm[at] == pytest.approx(values[0], rel=1e-9)
    assert read.spectral_radius[at] == pytest.approx(np.abs(np.linalg.eigvals(product)).max(), rel=1e-6, abs=1e-12)


# ---- against autograd


@pytest.mark.parametrize(
    ("network", "num_layers", "bidirectional"),
    grid(LINKED_NETWORKS, [1, 2], [False, True], kept=in_turn),
    ids=name_of,
)
def test_every_step_is_the_jacobian_of_the_textbook(network, num_layers, bidirectional):
    model, batch = case("many_to_many", PADDED, num_layers=num_layers, bidirectional=bidirectional, **network)
    for sequence in (0, 1):
        assert_jacobians_are_right(model, batch, sequence)


@pytest.mark.parametrize(("network", "num_layers"), grid(LINKED_NETWORKS, [1, 2], kept=in_turn), ids=name_of)
def test_encoder_and_decoder_are_one_chain(network, num_layers):
    e = Experiment(task="addition", rnn_type="encoder_decoder", hidden_size=5, num_layers=num_layers, **network)
    batch = sample(e, 4, SEED_OF_MANY_LENGTHS)
    shortest = int(np.argmin(batch.lengths))
    assert batch.lengths[shortest] < len(batch.inputs)
    assert_jacobians_are_right(lively(e), batch, shortest)


@pytest.mark.parametrize("together", [1, 60, 130])
def test_memory_is_bounded(monkeypatch, together):
    """Of an encoder-decoder, some Jacobians at a time, whose stretches end inside and at the border."""
    e = Experiment(task="reverse", rnn_type="encoder_decoder", cell="gru", hidden_size=5)
    model, batch = build(e).double(), sample(e, 2, 1)
    whole, trace = jacobian_products(model, batch, lags=range(1, 10)), trace_forward(model, batch)
    positions, steps = step_jacobians(trace)[0][0]
    monkeypatch.setattr("engine.lens.jacobians.MAX_ELEMENTS", together)
    at_once = [len(each) for each in chains_of_steps(trace)[0][0].forwards()]
    assert sum(at_once) == 9 and max(at_once) * 5**2 <= max(together, 5**2)
    few = jacobian_products(model, batch, lags=range(1, 10))
    assert np.allclose(few.norm, whole.norm, rtol=1e-12, atol=0) and np.isfinite(few.norm).all()
    assert np.allclose(few.step_norm, whole.step_norm, rtol=1e-12, atol=0, equal_nan=True)
    assert np.allclose(step_jacobians(trace)[0][0][1], steps, atol=1e-15) and len(positions) == 9


def test_a_cell_without_links_lets_nothing_through():
    model, batch = case("many_to_many", FULL, cell="feedforward", num_layers=2)
    positions, jacobians = step_jacobians(trace_forward(model, batch))[1][0]
    assert len(positions) == 6 and not jacobians.any() and jacobians.shape == (6, 5, 5)
    read = jacobian_products(model, batch, lags=(1, 4))
    assert not read.norm.any() and not read.singular_values.any() and not read.step_norm[:, :, 1:].any()
    assert np.isneginf(read.lyapunov).all()
    assert read.half_life() == 0 and read.one_percent() == 1


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one-way", "two-way"])
@LINKED
def test_the_product_carries_the_gradient_of_the_last_loss(cell, bidirectional):
    """dL/ds_first = P^T dL/ds_last, in each direction along its own time; single sequence, many_to_one."""
    model, batch = case("many_to_one", np.array([9, 6]), cell=cell, bidirectional=bidirectional)
    flow = gradient_flow(model, batch)
    for b in (0, 1):
        for d, (positions, jacobians) in enumerate(step_jacobians(trace_forward(model, batch), b)[0]):
            slopes = flow.grad_hidden[0, d, :, b]
            if flow.grad_cell is not None:
                # dL/dh_t holds c_t fixed, and dL/dc_t counts the path through h_t in: the joint one holds both apart
                direct = flow.grad_cell[0, d, :, b] - own_part(model, batch, b, d, slopes)
                slopes = np.concatenate([slopes, direct], axis=-1)
            first, last = (len(positions), 0) if d else (0, len(positions))
            product = np.linalg.multi_dot(jacobians[::-1])
            expected = product.T @ slopes[last]
            assert np.abs(expected - slopes[first]).max() < 1e-9 * np.abs(expected).max()


def own_part(model: RecurrentNetwork, batch: Batch, b: int, d: int, slopes: np.ndarray) -> np.ndarray:
    """(T, H): what dL/dh_t sends to c_t of the same step, by hand from the recorded output gate and cell state."""
    flow, suffix = gradient_flow(model, batch), "_l0_reverse" if d else "_l0"
    o, cell = flow.gates["output_gate"][0, d, :, b], flow.cell[0, d, :, b]
    if model.experiment.cell == "lstm_layer_norm":
        gain = getattr(model.recurrent, "gain_c" + suffix).detach().numpy()
        shift = getattr(model.recurrent, "shift_c" + suffix).detach().numpy()
        spread = np.sqrt(cell.var(-1, keepdims=True) + 1e-5)
        centred = (cell - cell.mean(-1, keepdims=True)) / spread
        into = slopes * o * (1 - np.tanh(gain * centred + shift) ** 2) * gain
        aside = into.mean(-1, keepdims=True) + centred * (into * centred).mean(-1, keepdims=True)
        return (into - aside) / spread
    squashed = np.tanh(cell)
    path = o * (1 - squashed**2)
    if model.experiment.cell == "lstm_peephole":
        see = getattr(model.recurrent, "weight_ch" + suffix).detach().numpy()[2 * UNITS :]
        path = path + squashed * o * (1 - o) * see
    return path * slopes


# ---- closed forms


@pytest.mark.parametrize(("alpha", "at_50"), [(0.9, 5.154e-3), (1.1, 117.39), (1.0, 1.0)])
def test_a_scaled_identity_multiplies_at_every_step(alpha, at_50):
    read = jacobian_products(*linear(alpha * np.eye(4), 51), lags=range(1, 51))
    assert np.allclose(read.norm[0, 0], alpha ** np.arange(1, 51), rtol=1e-12, atol=0)
    assert read.norm[0, 0, -1] == pytest.approx(at_50, rel=1e-4)
    assert np.allclose(read.lyapunov[0, 0], math.log(alpha), rtol=0, atol=1e-12)
    if alpha == 1:
        assert (read.norm == 1).all() and (read.singular_values == 1).all() and (read.step_norm[0, 0, 1:] == 1).all()


def test_an_orthogonal_map_keeps_every_change():
    """And a chain of all real steps but the first: no product reaches beyond it."""
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(16, 16)))[0]
    read = jacobian_products(*linear(turn, 101), lags=(1, 50, 100, 101))
    assert np.abs(read.singular_values[0, 0, :3] - 1).max() < 1e-9
    assert np.abs(read.spectral_radius[0, 0, :3] - 1).max() < 1e-9
    assert np.abs(read.lyapunov).max() < 1e-9
    assert np.isnan(read.norm[0, 0, 3]) and np.isnan(read.step_norm[0, 0, 0])


def test_a_diagonal_map_has_the_logarithms_as_exponents():
    weights = np.array([0.5, -1.25, 1e-9, 0.9, 2.0])
    read = jacobian_products(*linear(np.diag(weights), 30), lags=(20,))
    assert np.allclose(read.lyapunov[0, 0], np.sort(np.log(np.abs(weights)))[::-1], rtol=1e-12)
    assert np.allclose(read.singular_values[0, 0, 0, :4], np.array([2.0, 1.25, 0.9, 0.5]) ** 20)
    assert read.half_life() == math.inf


def test_exponents_add_up_to_the_volume():
    """Of any network: their sum is the mean of ln |det J_t|, here by NumPy."""
    for cell in ("rnn", "gru", "lstm_peephole"):
        model, batch = case("many_to_many", np.array([24, 24]), cell=cell)
        _, jacobians = step_jacobians(trace_forward(model, batch))[0][0]
        volume = np.linalg.slogdet(jacobians)[1].mean()
        lyapunov = jacobian_products(model, batch, lags=(1,)).lyapunov[0, 0]
        assert lyapunov.sum() == pytest.approx(volume, rel=1e-9)
        assert (np.diff(lyapunov) <= 0).all()


@pytest.mark.parametrize("seed", grid(range(4), kept=lambda seed: seed < 2))
def test_a_default_rnn_forgets_and_a_wild_one_explodes(seed):
    settings = {"cell": "rnn", "seed": seed}
    read = jacobian_products(*network(51, 64, **settings), lags=(50,))
    assert 4e-14 < read.norm[0, 0, 0] < 1e-6
    assert read.lyapunov[0, 0, 0] < 0
    wild = jacobian_products(*network(51, 64, init="gaussian", init_gain=3.0, **settings), lags=(50,))
    assert wild.norm[0, 0, 0] > 1e5 and wild.lyapunov[0, 0, 0] > 0.1


def test_an_irnn_that_sees_nothing_negative_keeps_everything():
    model, batch = network(51, 8, cell="rnn", nonlinearity="relu", init="identity")
    with torch.no_grad():
        model.recurrent.weight_ih_l0.abs_()
    read = jacobian_products(model, dataclasses.replace(batch, inputs=np.abs(batch.inputs) + 0.1))
    there = read.lags <= 50
    assert (read.norm[0, 0, there] == 1).all() and (read.singular_values[0, 0, there] == 1).all()
    assert (read.lyapunov == 0).all() and np.isnan(read.norm[0, 0, ~there]).all()


@pytest.mark.parametrize(("bias", "kept"), [(0, 8.9e-16), (1, 1.6e-7), (2, 1.75e-3), (3, 0.088), (5, 0.715)])
def test_an_lstm_without_weights_keeps_what_its_forget_gate_says(bias, kept):
    model, batch = network(51, 4, cell="lstm")
    with torch.no_grad():
        for parameter in model.recurrent.parameters():
            parameter.zero_()
        model.recurrent.bias_ih_l0[4:8] = bias
        model.recurrent.bias_ih_l0[12:] = -800.0  # the output gate is closed: c goes its way alone
    read = jacobian_products(model, batch, lags=(50,))
    forget = 1 / (1 + math.exp(-bias))
    assert read.norm[0, 0, 0] == pytest.approx(forget**50, rel=1e-12) == pytest.approx(kept, rel=0.02)
    assert (
        np.allclose(read.lyapunov[0, 0, :4], math.log(forget), rtol=1e-12)
        and np.isneginf(read.lyapunov[0, 0, 4:]).all()
    )
    assert np.allclose(read.singular_values[0, 0, 0], [forget**50] * 4 + [0] * 4, rtol=1e-12, atol=0)


@pytest.mark.parametrize("seed", grid(range(2), kept=lambda seed: seed < 1))
def test_a_forget_bias_opens_the_path(seed):
    default, cured, gru = (
        jacobian_products(*network(51, 64, seed=seed, **settings), lags=(50,)).norm[0, 0, 0]
        for settings in ({"cell": "lstm"}, {"cell": "lstm", "forget_bias": 3.0}, {"cell": "gru"})
    )
    assert cured / default > 1e6
    assert default < 1e-7 and gru < 1e-7 and 0.5 < cured < 50


@pytest.mark.parametrize(("nonlinearity", "size"), [("tanh", 0.9), ("sigmoid", 3.6)])
def test_weights_below_the_bound_must_vanish(nonlinearity, size):
    """sigma_max times the steepest slope, 1 of tanh and 1/4 of sigmoid, is 0.9 here: no input can help."""
    for seed in range(3):
        model, batch = network(41, 16, cell="rnn", nonlinearity=nonlinearity, seed=seed)
        with torch.no_grad():
            weight = model.recurrent.weight_hh_l0
            weight *= size / torch.linalg.matrix_norm(weight, 2)
        for strength in (0.0, 1.0, 30.0):
            strong = dataclasses.replace(batch, inputs=batch.inputs * strength)
            read = jacobian_products(model, strong, lags=range(1, 41))
            assert (read.norm[0, 0] <= 0.9 ** np.arange(1, 41) * (1 + 1e-12)).all()
            assert (read.norm[0, 0] > 0).all()


@pytest.mark.parametrize(("weight", "latches"), [(0.8, False), (2.0, True)])
def test_one_unit_alone_latches_only_above_one(weight, latches):
    """h = tanh(w h): pushed up and left alone it falls to 0, of slope w, or stays where w (1 - h^2) < 1."""
    model, batch = network(200, 1, cell="rnn")
    with torch.no_grad():
        for parameter in model.recurrent.parameters():
            parameter.zero_()
        model.recurrent.weight_hh_l0.fill_(weight), model.recurrent.weight_ih_l0.fill_(1.0)
    inputs = np.zeros_like(batch.inputs)
    inputs[0] = 1.0
    batch = dataclasses.replace(batch, inputs=inputs)
    read = jacobian_products(model, batch, lags=(1,))
    stays = 0.0
    if latches:
        stays = 1.0
        for _ in range(200):
            stays = math.tanh(weight * stays)
    assert gradient_flow(model, batch).hidden[0, 0, -1, 0, 0] == pytest.approx(stays, abs=1e-12)
    assert read.norm[0, 0, 0] == pytest.approx(weight * (1 - stays**2), rel=1e-9)
    assert read.norm[0, 0, 0] < 1 and read.lyapunov[0, 0, 0] < 0


# ---- numbers too small, too large, or none


@pytest.mark.parametrize(("gain", "sign"), [(0.1, -1), (20.0, 1)])
def test_a_thousand_steps_are_never_0_or_infinite(gain, sign):
    """0.1^999 and 20^999 are no float64; the exponents still say them."""
    read = jacobian_products(*linear(gain * np.eye(3), 1000), lags=(100, 300, 999))
    expected = np.array([100, 300, 999]) * math.log10(gain)
    digits = np.log10(read.norm[0, 0])
    limits = np.finfo(float).minexp * math.log10(2), math.log10(np.finfo(float).max)
    assert np.allclose(digits, np.clip(expected, *limits), rtol=1e-9)
    assert (np.sign(digits) == sign).all() and (read.spectral_radius == read.norm).all()
    assert read.lyapunov[0, 0, 0] == pytest.approx(math.log(gain), rel=1e-12)


def test_a_thousand_steps_of_a_default_rnn():
    read = jacobian_products(*network(1000, 16, cell="rnn"), lags=(100, 900, 999))
    norms = read.norm[0, 0]
    assert 0 < norms[2] < norms[1] < 1e-150 < norms[0] < 1
    assert math.log(norms[2]) / 999 == pytest.approx(read.lyapunov[0, 0, 0], abs=0.02)


def test_exact_zeros_stay_zero():
    """A ReLU that is dead at one step cuts every chain through it; what comes after is not touched."""
    model, batch = network(12, 6, cell="rnn", nonlinearity="relu", init="identity")
    inputs = np.ones_like(batch.inputs)
    inputs[5] = -100.0
    with torch.no_grad():
        model.recurrent.weight_ih_l0.fill_(1.0)
    read = jacobian_products(model, dataclasses.replace(batch, inputs=inputs), lags=range(1, 12))
    assert (read.norm[0, 0] == [1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0]).all()
    assert not read.singular_values[0, 0, 6:].any() and not read.spectral_radius[0, 0, 6:].any()
    assert read.step_norm[0, 0, 1:].tolist() == [1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1]
    assert np.isneginf(read.lyapunov).all()


def test_a_direction_that_dies_is_not_rounding():
    """W of rank 2 behind a rotation: the other exponents are minus infinity, not the logarithm of rounding."""
    turn = np.linalg.qr(np.random.default_rng(5).normal(size=(6, 6)))[0]
    weights = turn @ np.diag([0.9, 0.5, 0, 0, 0, 0]) @ turn.T
    lyapunov = jacobian_products(*linear(weights, 40), lags=(1,)).lyapunov[0, 0]
    assert np.isneginf(lyapunov[2:]).all()


def test_states_that_are_not_finite_are_not_a_number():
    model, batch = network(6, 4, cell="lstm")
    inputs = batch.inputs.copy()
    inputs[3] = np.nan
    read = jacobian_products(model, dataclasses.replace(batch, inputs=inputs), lags=(1, 4))
    assert np.isnan(read.norm).all() and np.isnan(read.spectral_radius).all() and np.isnan(read.lyapunov).all()
    assert np.isfinite(read.step_norm[0, 0, 1:3]).all() and np.isnan(read.step_norm[0, 0, 3:]).all()
    assert math.isnan(read.half_life()) and math.isnan(read.one_percent())


def test_a_sequence_of_one_step_has_no_links():
    model, batch = case("many_to_many", np.array([4, 1]), cell="lstm")
    read = jacobian_products(model, batch, sequence=1, lags=(1,))
    assert np.isnan(read.norm).all() and np.isnan(read.lyapunov).all() and np.isnan(read.step_norm).all()
    assert math.isnan(read.half_life()) and math.isnan(read.one_percent())


@pytest.mark.parametrize("settings", [{"cell": "rnn"}, {"cell": "gru"}, {"cell": "lstm", "forget_bias": 2.0},
                                      {"cell": "gru_simple"}], ids=lambda each: each["cell"])  # fmt: skip
def test_float32_says_the_same(settings):
    e = Experiment(task="adding", hidden_size=16, seq_len=60, **settings)
    batch = sample(e, 2, 1)
    single, double = (jacobian_products(model, batch, lags=(1, 10, 59)) for model in (build(e), build(e).double()))
    assert double.lyapunov[0, 0, 0] <= 0
    assert single.norm.dtype == np.float64
    for name in ("norm", "spectral_radius", "step_norm"):
        assert np.allclose(getattr(single, name), getattr(double, name), rtol=1e-4, atol=0, equal_nan=True)
    assert np.allclose(single.lyapunov[..., 0], double.lyapunov[..., 0], atol=1e-4)


def test_looking_calls_the_model_once_and_changes_nothing():
    model, batch = network(6, 4, cell="lstm_peephole")
    calls: list[str] = []
    model.register_forward_hook(lambda *_: calls.append("model"))
    before, random = {k: v.clone() for k, v in model.state_dict().items()}, torch.get_rng_state()
    first, second = jacobian_products(model, batch), jacobian_products(model, batch)
    assert calls == ["model"] * 2 and torch.equal(random, torch.get_rng_state())
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    assert np.array_equal(first.lyapunov, second.lyapunov) and not first.norm.flags.writeable


# ---- how it is said


def products(lags: list[int], norms: list[float], exponent: float) -> JacobianProducts:
    norm = np.array(norms)[None, None]
    return JacobianProducts(np.array(lags), norm, norm[..., None], norm, np.array([[[exponent]]]))


def test_half_life_is_where_half_is_left():
    read = jacobian_products(*linear(0.9 * np.eye(2), 30), lags=(1,))
    assert 0.9 ** read.half_life() == pytest.approx(0.5)
    assert products([1], [1.0], 0.0).half_life() == math.inf


def test_one_percent_lies_between_the_lags():
    """Norm 0.9^k is 1 % at ln 0.01 / ln 0.9 = 43.7 steps, wherever it was measured, in whatever order."""
    expected = math.log(0.01) / math.log(0.9)
    for lags in ([1, 2, 5, 20, 50, 100], [100, 50, 1], [50], [200]):
        assert products(lags, [0.9**k for k in lags], -0.1).one_percent() == pytest.approx(expected)


@pytest.mark.parametrize(("norms", "lag"), [
    ([0.5, 0.02, 0.01], math.inf),  # not below it
    ([0.5, 0.001, 0.1], math.inf),  # it came back
    ([0.001, 0.1, 0.001], 3.0),  # the last time it falls, half-way from lag 2 to lag 4
    ([0.5, 0.0, 0.0], 2.0),  # nothing left from lag 2 on
    ([0.5, 5e-324, math.nan], 1 + math.log(50) / (math.log(0.5) - math.log(5e-324))),
    ([1e308, 1e-308, 0.0], 1 + (math.log(1e308) - math.log(0.01)) / (2 * math.log(1e308))),
])  # fmt: skip
def test_one_percent_is_where_it_stays_below(norms, lag):
    assert products([1, 2, 4], norms, -0.1).one_percent() == pytest.approx(lag)
