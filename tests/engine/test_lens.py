"""The promise of the product: the lens equals autograd on the unrolled network, and finite differences."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import torch

from engine.experiment import Experiment
from engine.lens import BLOCK, gradient_flow
from engine.model import RecurrentNetwork, build
from engine.tasks import Batch, sample
from tests.engine import reference

CELLS = [("rnn", "tanh"), ("rnn", "relu"), ("gru", "tanh"), ("lstm", "tanh")]
TYPES = ("many_to_one", "many_to_many")
LENGTHS = (np.array([7, 7, 7]), np.array([7, 3, 5]))


def with_lengths(batch: Batch, lengths: np.ndarray, rnn_type: str) -> Batch:
    """The same sequences, cut to these lengths and padded with whatever stood there."""
    t = np.arange(len(batch.mask))[:, None]
    mask = t == lengths - 1 if rnn_type == "many_to_one" else t < lengths
    return dataclasses.replace(batch, mask=mask, lengths=lengths)


def case(rnn_type: str, lengths: np.ndarray, **settings: object) -> tuple[RecurrentNetwork, Batch]:
    """A float64 network with nothing zero in it, and a batch."""
    e = Experiment(task="stocks", rnn_type=rnn_type, hidden_size=5, seq_len=int(lengths.max()), seed=3, **settings)
    model = build(e).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 1.5  # livelier than the default, still not exploding
    return model, with_lengths(sample(e, len(lengths), 11), lengths, rnn_type)


def assert_equal(found: np.ndarray, expected: np.ndarray, relative: float = 1e-9) -> None:
    """Equal step by step, relative to the size of each step's own gradient."""
    size = np.linalg.norm(expected, axis=-1, keepdims=True)
    error = np.abs(found - expected)
    assert np.all(error <= relative * size), (error / np.maximum(size, 1e-300)).max()


@pytest.mark.parametrize("lengths", LENGTHS, ids=["full", "padded"])
@pytest.mark.parametrize("rnn_type", ["many_to_one", "many_to_many"])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one-way", "two-way"])
@pytest.mark.parametrize("num_layers", [1, 2, 3])
@pytest.mark.parametrize(("cell", "nonlinearity"), CELLS)
def test_lens_equals_autograd_on_the_unrolled_network(cell, nonlinearity, num_layers, bidirectional, rnn_type, lengths):
    settings = {"cell": cell, "nonlinearity": nonlinearity, "num_layers": num_layers, "bidirectional": bidirectional}
    model, batch = case(rnn_type, lengths, **settings)
    for loss in ("all", "last", "first", 4):
        if not any(batch.mask[loss] if loss == 4 else [True]):
            continue
        expected, flow = reference.gradients(model, batch, loss), gradient_flow(model, batch, loss)
        for name in ("hidden", "grad_hidden", "grad_hidden_direct"):
            assert_equal(getattr(flow, name), expected[name])
        if cell == "lstm":
            assert_equal(flow.cell, expected["cell"])
            assert_equal(flow.grad_cell, expected["grad_cell"])
        else:
            assert flow.cell is None and flow.grad_cell is None


@pytest.mark.parametrize(("cell", "tbptt"), list(itertools.product(["rnn", "gru", "lstm"], [1, 3, 5, 40])))
def test_truncation_is_exactly_zero_beyond_the_wall(cell, tbptt):
    model, batch = case("many_to_one", np.array([20, 20, 20]), cell=cell, tbptt=tbptt, num_layers=2)
    flow, expected = gradient_flow(model, batch), reference.gradients(model, batch)
    assert_equal(flow.grad_hidden, expected["grad_hidden"])
    beyond = max(0, 20 - tbptt)
    assert np.all(flow.grad_hidden[:, :, :beyond] == 0)
    assert np.all(np.abs(flow.grad_hidden[:, :, beyond:]).sum(-1) > 0)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("rnn_type", ["many_to_one", "many_to_many"])
def test_many_truncated_pieces_with_a_loss_at_every_step(cell, rnn_type):
    model, batch = case(rnn_type, np.array([20, 13, 4]), cell=cell, tbptt=6)
    assert_equal(gradient_flow(model, batch).grad_hidden, reference.gradients(model, batch)["grad_hidden"])


@pytest.mark.parametrize(("cell", "rnn_type"), list(itertools.product(["rnn", "gru", "lstm"], TYPES)))
def test_gradient_is_the_slope_of_the_loss(cell, rnn_type):
    """Finite differences: nudge h_t, run the rest by the textbook loop, see how L moves."""
    lengths, nudge = np.array([6, 6]), 1e-5
    model, batch = case(rnn_type, lengths, cell=cell)
    flow = gradient_flow(model, batch)
    for t, b, unit in [(0, 0, 0), (2, 1, 3), (5, 0, 4)]:
        ends = [loss_after_nudge(model, batch, t, b, unit, sign * nudge) for sign in (1, -1)]
        assert flow.grad_hidden[0, 0, t, b, unit] == pytest.approx((ends[0] - ends[1]) / (2 * nudge), abs=1e-8)


def loss_after_nudge(model: RecurrentNetwork, batch: Batch, at: int, b: int, unit: int, nudge: float) -> float:
    """L with unit `unit` of h_at of sequence b moved by `nudge`; no gradient is asked of anybody."""
    with torch.no_grad():
        total = 0.0
        for each in range(batch.mask.shape[1]):
            h = c = torch.zeros(model.experiment.hidden_size, dtype=model.dtype)
            rows = []
            for t in range(len(batch.mask)):
                h, c = reference.step(model, 0, 0, model.embed(batch)[t, each], h, c)
                if (t, each) == (at, b):
                    h = h.clone()
                    h[unit] += nudge
                rows.append(h)
            total += float(reference._losses(model, batch, each, rows).sum())
        return total / batch.mask.shape[1]


def test_exploding_network_within_one_in_a_million():
    lengths = np.array([60, 60])
    e = Experiment(task="adding", cell="rnn", nonlinearity="relu", hidden_size=32, seq_len=60, init="gaussian",
                   init_gain=3.0)  # fmt: skip
    model, batch = build(e).double(), sample(e, 2, 5)
    flow, expected = gradient_flow(model, batch), reference.gradients(model, batch)
    assert np.linalg.norm(expected["grad_hidden"][0, 0, 0]) > 1e6 and lengths.max() == 60
    assert_equal(flow.grad_hidden, expected["grad_hidden"], relative=1e-6)


@pytest.mark.parametrize(("cell", "init_gain"), [("rnn", 1.0), ("rnn", 0.7), ("gru", 1.0), ("lstm", 1.0)])
def test_float32_does_not_underflow(cell, init_gain):
    """A gradient far below float32's smallest number is still a number, and agrees with float64."""
    e = Experiment(cell=cell, hidden_size=16, seq_len=300, init_gain=init_gain)
    batch = sample(e, 4, 1)
    single, double = gradient_flow(build(e), batch).grad_hidden, gradient_flow(build(e).double(), batch).grad_hidden
    first = np.linalg.norm(single[0, 0], axis=-1)
    assert 0 < first[0].max() < 1e-45
    digits = np.log10(first) - np.log10(np.linalg.norm(double[0, 0], axis=-1))
    assert np.abs(digits).max() < 1e-3


def test_float32_does_not_overflow():
    e = Experiment(cell="rnn", hidden_size=64, seq_len=600, init="gaussian", init_gain=3.0)
    grown = gradient_flow(build(e), sample(e, 2, 1)).grad_hidden
    assert np.isfinite(grown).all() and np.linalg.norm(grown[0, 0, 0]) > 1e45


def test_rescaling_changes_no_bit():
    """Powers of two are exact: sequences much longer than a block agree with autograd to the last digits."""
    model, batch = case("many_to_one", np.array([24, 24]), cell="rnn", init="orthogonal")
    assert len(batch.mask) > BLOCK
    assert_equal(gradient_flow(model, batch).grad_hidden, reference.gradients(model, batch)["grad_hidden"], 1e-12)


def test_looking_calls_the_model_once_and_changes_nothing():
    e = Experiment(cell="lstm", num_layers=2, dropout=0.5, hidden_size=4, seq_len=5)
    model, calls = build(e), []
    model.train()
    model.register_forward_hook(lambda *_: calls.append("model"))
    model.recurrent.register_forward_hook(lambda *_: calls.append("recurrent"))
    before, random = {k: v.clone() for k, v in model.state_dict().items()}, torch.get_rng_state()
    batch = sample(e, 3, 1)
    first, second = gradient_flow(model, batch), gradient_flow(model, batch)
    assert calls == ["recurrent", "model"] * 2
    assert model.training and all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(random, torch.get_rng_state())
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    assert np.array_equal(first.grad_hidden, second.grad_hidden)


def test_reverse_direction_of_many_to_one_enters_at_position_0():
    model, batch = case("many_to_one", np.array([7, 4]), cell="gru", bidirectional=True)
    direct = np.linalg.norm(gradient_flow(model, batch).grad_hidden_direct[0], axis=-1)  # (directions, T, batch)
    assert [np.flatnonzero(direct[0, :, b]).tolist() for b in (0, 1)] == [[6], [3]]
    assert [np.flatnonzero(direct[1, :, b]).tolist() for b in (0, 1)] == [[0], [0]]


def test_gates_are_those_of_the_equations():
    model, batch = case("many_to_many", np.array([5, 5]), cell="gru")
    flow = gradient_flow(model, batch)
    z, n, h = flow.gates["update_gate"][0, 0], flow.gates["candidate"][0, 0], flow.hidden[0, 0]
    before = np.concatenate([np.zeros_like(h[:1]), h[:-1]])
    assert np.allclose(h, (1 - z) * n + z * before, atol=1e-12)  # z near 1 keeps the old state
    model, batch = case("many_to_many", np.array([5, 5]), cell="lstm")
    flow = gradient_flow(model, batch)
    gates = {name: value[0, 0] for name, value in flow.gates.items()}
    before = np.concatenate([np.zeros_like(flow.cell[0, 0, :1]), flow.cell[0, 0, :-1]])
    written = gates["forget_gate"] * before + gates["input_gate"] * gates["cell_candidate"]
    assert np.allclose(flow.cell[0, 0], written, atol=1e-12)
    assert np.allclose(flow.hidden[0, 0], gates["output_gate"] * np.tanh(written), atol=1e-12)
