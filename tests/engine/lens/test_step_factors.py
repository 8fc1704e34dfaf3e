"""Who shrank it: every step back, taken apart by differentiating that one step of the textbook loop anew."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.lens import gradient_flow, omega, step_factors
from engine.model import RecurrentNetwork
from engine.readings import StepFactors
from engine.tasks import Batch, sample
from tests import reference_unroll as reference
from tests.engine.lens.test_gradient_flow import EVERY_NETWORK, FULL, LINKED, PADDED, case, lively

LENGTHS = np.array([7, 4])


def expected_factors(run: reference.Unrolled, loss: str | int) -> dict[str, np.ndarray]:
    """{name: (layers, directions, T)} of a run of one sequence: "factor", and "slope" and "weights", or the roads."""
    e, steps = run.model.experiment, len(run.batch.valid)
    slopes = run.gradients(loss)
    memory = slopes["grad_cell" if CELLS[e.cell].has_cell_state else "grad_hidden"][:, :, :, 0]
    found: dict[str, np.ndarray] = {}
    for layer in range(e.num_layers):
        for d in range(e.directions):
            order = run.order(layer, d)
            for last, t in zip([None, *order], order, strict=False):
                delta = torch.tensor(memory[layer, d, t])
                arrived = None if last is None else torch.tensor(memory[layer, d, last])
                cut = bool(e.tbptt and t and (steps - t) % e.tbptt == 0)
                for name, value in _one_step(run, (layer, d, t, 0), delta, arrived, cut).items():
                    found.setdefault(name, np.full((e.num_layers, e.directions, steps), np.nan))[layer, d, t] = value
    return found


def _one_step(
    run: reference.Unrolled, key: reference.Key, delta: Tensor, arrived: Tensor | None, cut: bool
) -> dict[str, float]:
    """What one step back does to `delta`, dL/ds at it; `arrived` is what autograd found at the state before."""
    e = run.model.experiment
    if e.cell in ("rnn", "feedforward"):
        found = _plain(run, key, delta)
    elif CELLS[e.cell].has_cell_state:
        kept = _forget(run, key) * delta
        arrived = torch.zeros_like(delta) if arrived is None else arrived
        share = float(kept @ arrived / (arrived @ arrived))
        found = {"factor": _ratio(arrived, delta), "kept": share, "other roads": 1 - share}
    else:
        roads = _roads(run, key, delta)
        whole = torch.stack(list(roads.values())).sum(0)
        found = {name: float(road @ whole / (whole @ whole)) for name, road in roads.items()}
        found["factor"] = _ratio(whole, delta)
    undefined = arrived is None or cut or not delta.any() or key[2] == run.order(key[0], key[1])[0]
    if undefined:
        found = dict.fromkeys(found, np.nan)
    if cut and delta.any():
        found["factor"] = 0.0
    return found


def _ratio(above: Tensor, below: Tensor) -> float:
    return float(above.norm() / below.norm())


def _leaves(run: reference.Unrolled, key: reference.Key) -> tuple[torch.nn.Module, Tensor, Tensor, Tensor]:
    layers, *states = run.entered[key]
    return layers, *(each.detach().clone().requires_grad_() for each in states)


def _plain(run: reference.Unrolled, key: reference.Key, delta: Tensor) -> dict[str, float]:
    """Through the activation first, then through the weights: autograd is asked for that part, and for the whole."""
    layers, x, h, _ = _leaves(run, key)
    suffix = f"_l{key[0]}" + ("_reverse" if key[1] else "")
    names = ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
    w, b, u, bu = (getattr(layers, name + suffix, None) for name in names)
    a = w @ x + b + (0 if u is None else u @ h + bu)
    a = a.detach().requires_grad_()
    phi = reference.ACTIVATIONS[run.model.experiment.nonlinearity]
    through = torch.autograd.grad(phi(a), a, delta)[0]
    after, _ = reference.step(run.model, layers, key[0], key[1], x, h, h)
    arrives = torch.autograd.grad(after, h, delta, materialize_grads=True, allow_unused=True)[0]
    return {"slope": _ratio(through, delta), "weights": _ratio(arrives, through), "factor": _ratio(arrives, delta)}


def _roads(run: reference.Unrolled, key: reference.Key, delta: Tensor) -> dict[str, Tensor]:
    """The textbook step of a GRU with a copy of the old state for every road; each copy gets its own gradient."""
    layers, x, h, _ = _leaves(run, key)
    suffix = f"_l{key[0]}" + ("_reverse" if key[1] else "")
    names = ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
    w, b, u, bu = (getattr(layers, name + suffix).detach() for name in names)
    kept, gates, content = (h.detach().clone().requires_grad_() for _ in range(3))
    if run.model.experiment.cell == "gru":
        (wr, wz, wn), (ur, uz, un), (br, bz, bn), (cr, cz, cn) = (each.chunk(3) for each in (w, u, b, bu))
        r = torch.sigmoid(wr @ x + br + ur @ gates + cr)
    else:
        (wz, wn), (uz, un), (bz, bn), (cz, cn) = (each.chunk(2) for each in (w, u, b, bu))
        r = 1.0
    z = torch.sigmoid(wz @ x + bz + uz @ gates + cz)
    n = torch.tanh(wn @ x + bn + r * (un @ content + cn))
    found = torch.autograd.grad((1 - z) * n + z * kept, [kept, gates, content], delta)
    after, _ = reference.step(run.model, layers, key[0], key[1], x, h, h)
    whole = torch.autograd.grad(after, h, delta)[0]
    assert torch.allclose(sum(found), whole, rtol=1e-12, atol=1e-300)
    return dict(zip(("kept", "gates", "candidate"), found, strict=True))


def _forget(run: reference.Unrolled, key: reference.Key) -> Tensor:
    """The forget gate of one step, by its formula; all ones where there is none."""
    layers, x, h, c = run.entered[key]
    cell, suffix = run.model.experiment.cell, f"_l{key[0]}" + ("_reverse" if key[1] else "")
    if cell == "lstm_no_forget":
        return torch.ones_like(c)
    names = ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
    w, b, u, bu = (getattr(layers, name + suffix).chunk(4)[1] for name in names)
    see = getattr(layers, "weight_ch" + suffix).chunk(3)[1] * c if cell == "lstm_peephole" else 0
    return torch.sigmoid(w @ x + b + u @ h + bu + see).detach()


def assert_factors_are_right(
    model: RecurrentNetwork, batch: Batch, sequence: int, losses: tuple[str | int, ...] = ("last", "all", "first")
) -> StepFactors:
    """Every number is that of the slow calculation, NaN where that is; shares add up to 1. Returns those of "last"."""
    run, results = reference.unroll(model, batch.alone(sequence)), []
    for loss in losses:
        found, expected = step_factors(model, batch, sequence, loss), expected_factors(run, loss)
        values = {"factor": found.factor, "slope": found.slope, "weights": found.weights, **found.shares}
        values = {name: value for name, value in values.items() if value is not None}
        assert set(values) == set(expected)
        for name, value in values.items():
            np.testing.assert_allclose(value, expected[name], rtol=1e-9, atol=1e-9 * (name in found.shares))
        if found.shares:
            total, defined = sum(found.shares.values()), np.isfinite(found.factor) & (found.factor > 0)
            assert np.abs(total[defined] - 1).max(initial=0) < 1e-9
        results.append(found)
    return results[0]


# ---- against autograd


@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("rnn_type", ["many_to_one", "many_to_many"])
@EVERY_NETWORK
def test_one_way(network, rnn_type, num_layers):
    model, batch = case(rnn_type, LENGTHS, num_layers=num_layers, **network)
    for b, length in enumerate(LENGTHS):
        found = assert_factors_are_right(model, batch, b)
        assert np.isnan(found.factor[:, :, 0]).all() and np.isnan(found.factor[:, :, length:]).all()
        if network["cell"] != "feedforward" and network.get("nonlinearity") != "relu":
            last = np.flatnonzero(batch.counted[:, b])[-1]
            assert np.isfinite(found.factor[:, :, 1 : last + 1]).all()


@LINKED
def test_both_ways(cell):
    """The step before t is t + 1 in the reverse direction, whose first step is each sequence's own last."""
    model, batch = case("many_to_many", LENGTHS, cell=cell, num_layers=2, bidirectional=True, output_layers=1)
    single, same = case("many_to_one", LENGTHS, cell=cell, bidirectional=True)
    for b, length in enumerate(LENGTHS):
        assert_factors_are_right(model, batch, b, ("last", "first", 2))
        found = assert_factors_are_right(single, same, b, ("last",))
        assert np.isnan(found.factor[:, 1, length - 1]).all() and np.isfinite(found.factor[:, 1, : length - 1]).all()


@LINKED
def test_from_the_target_side_into_the_source(cell):
    e = Experiment(task="reverse", rnn_type="encoder_decoder", cell=cell, hidden_size=5, num_layers=2, seq_len=5)
    model, batch = lively(e), sample(e, 4, 20)
    for b in (0, 1):
        found = assert_factors_are_right(model, batch, b, ("last", "all"))
        assert np.isfinite(found.factor[:, :, batch.source_steps]).all()


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
    found = step_factors(model, batch)
    assert np.allclose(found.weights[0, 0, 1:], alpha, rtol=1e-12) and np.allclose(found.slope[0, 0, 1:], 1, rtol=1e-12)
    assert np.allclose(found.factor[0, 0, 1:], alpha, rtol=1e-12) and found.shares == {}
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
    found = step_factors(model, batch)
    expected = 1.0 if cell == "lstm_no_forget" else 1 / (1 + np.exp(-bias))
    assert np.allclose(found.factor[0, 0, 1:], expected, rtol=1e-12)
    assert np.allclose(found.shares["kept"][0, 0, 1:], 1, rtol=1e-12)
    assert np.allclose(found.shares["other roads"][0, 0, 1:], 0, atol=1e-12)
    assert found.slope is None and found.weights is None


@pytest.mark.parametrize("cell", ["gru", "gru_simple"])
def test_all_that_is_left_of_a_gru_without_weights_is_its_update_gate(cell):
    model, batch = case("many_to_one", FULL, cell=cell)
    with torch.no_grad():
        for parameter in model.recurrent.parameters():
            parameter.zero_()
    found = step_factors(model, batch)
    assert (found.factor[0, 0, 1:] == 0.5).all()
    for name, share in found.shares.items():
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
    found = step_factors(model, batch)
    assert found.slope[0, 0, 2] == pytest.approx(np.sqrt(0.5), rel=1e-12)
    assert found.weights[0, 0, 1:].tolist() == [1.0, 1.0] and found.slope[0, 0, 1] == 1.0


@pytest.mark.parametrize(("cell", "settings"), [("rnn", {}), ("rnn", {"bidirectional": True, "num_layers": 2}),
                                                ("gru", {}), ("lstm", {})])  # fmt: skip
def test_omega_is_the_mean_over_the_batch_of_the_whole_loss(cell, settings):
    model, batch = case("many_to_many", PADDED, cell=cell, **settings)
    each = [expected_factors(reference.unroll(model, batch.alone(b)), "all")["factor"] for b in range(3)]
    expected = np.mean([np.nansum((factor - 1) ** 2, axis=-1) for factor in each], axis=0)
    assert expected.min() > 1e-3
    np.testing.assert_allclose(omega(model, batch), expected, rtol=1e-9)


def test_no_gradient_no_factor():
    """After the only step with a loss nothing comes back: there is nothing to divide by, in no cell."""
    for cell in CELLS:
        model, batch = case("many_to_many", FULL, cell=cell)
        found = step_factors(model, batch, loss=3)
        for values in (found.factor, found.slope, found.weights, *found.shares.values()):
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
