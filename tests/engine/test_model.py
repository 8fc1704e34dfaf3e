"""The network is the library's, initialised as the experiment says."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from engine.experiment import Experiment, parameter_count
from engine.model import build
from engine.tasks import NO_SYMBOL, sample
from tests.engine import reference

SHAPES = [{}, {"num_layers": 2}, {"bidirectional": True}, {"num_layers": 3, "bidirectional": True}]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_loads_the_librarys_weights_and_gives_the_same_states(cell, shape):
    model = build(Experiment(cell=cell, hidden_size=7, **shape))
    library = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell](10, 7, **shape)
    model.recurrent.load_state_dict(library.state_dict())
    inputs = torch.randn(5, 3, 10)
    torch.testing.assert_close(model.recurrent(inputs)[0], library(inputs)[0], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(
    ("task", "rnn_type"),
    [
        ("first_symbol_recall", "many_to_one"),
        ("adding", "many_to_one"),
        ("characters", "many_to_many"),
        ("stocks", "many_to_many"),
    ],
)
def test_loss_is_that_of_the_textbook(task, rnn_type, reduction):
    e = Experiment(task=task, rnn_type=rnn_type, cell="gru", hidden_size=5, seq_len=6, reduction=reduction)
    model, batch = build(e).double(), sample(e, 4, 1)
    expected = reference.unroll(model, batch).losses
    assert expected is not None
    assert model.loss(batch).item() == pytest.approx(expected.sum().item() / 4, rel=1e-12)
    weighted = model.loss_per_step(batch) * model.loss_weights(batch)
    torch.testing.assert_close(weighted, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("rnn_type", ["many_to_one", "many_to_many"])
def test_padding_changes_nothing(rnn_type, bidirectional):
    e = Experiment(task="characters", rnn_type=rnn_type, seq_len=9, hidden_size=6, bidirectional=bidirectional)
    model, batch = build(e).double(), sample(e, 1, 4)
    mask = batch.mask.copy()
    mask[5:] = False
    if rnn_type == "many_to_one":
        mask[4] = True
    padded = dataclasses.replace(batch, mask=mask, lengths=np.array([5]))
    short = dataclasses.replace(padded, inputs=batch.inputs[:5], targets=batch.targets[:5], mask=mask[:5])
    assert model.loss(padded).item() == pytest.approx(model.loss(short).item(), rel=1e-9)
    grads = [torch.autograd.grad(model.loss(each), list(model.parameters())) for each in (padded, short)]
    for with_padding, without in zip(*grads, strict=True):
        torch.testing.assert_close(with_padding, without, rtol=1e-9, atol=1e-12)


def test_truncated_training_cuts_the_gradient_but_not_the_state():
    e = Experiment(task="adding", cell="gru", hidden_size=5, seq_len=12)
    whole, cut = build(e).double(), build(e.replace(tbptt=5)).double()
    batch = sample(e, 3, 1)
    assert whole.loss(batch).item() == pytest.approx(cut.loss(batch).item(), rel=1e-12)
    expected = reference.unroll(cut, batch).losses
    assert expected is not None
    (expected.sum() / 3).backward()
    wanted = [parameter.grad.clone() for parameter in cut.parameters()]
    found = torch.autograd.grad(cut.loss(batch), list(cut.parameters()))
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)
    full = torch.autograd.grad(whole.loss(batch), whole.recurrent.weight_hh_l0)[0]
    assert not torch.allclose(full, found[1])


def test_same_experiment_same_weights_and_the_global_generator_untouched():
    before = torch.get_rng_state()
    first, second = build(Experiment(seed=4)), build(Experiment(seed=4))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    other = build(Experiment(seed=5))
    assert not torch.equal(first.recurrent.weight_hh_l0, other.recurrent.weight_hh_l0)


def test_initialisations():
    def weight(cell="rnn", **settings):
        return build(Experiment(cell=cell, hidden_size=48, **settings)).recurrent.weight_hh_l0.detach()

    eye = torch.eye(48)
    assert torch.equal(weight(init="identity", init_gain=0.5), 0.5 * eye)
    for block in weight("lstm", init="orthogonal").split(48):
        torch.testing.assert_close(block @ block.T, eye, atol=1e-5, rtol=0)
    for block in weight("gru", init="gaussian", init_gain=3.0).split(48):
        assert block.std().item() == pytest.approx(3 / 48**0.5, rel=0.05)
    assert weight(init="xavier").abs().max().item() <= (6 / 96) ** 0.5
    assert torch.equal(weight(init_gain=2.0), 2 * weight())
    identity = build(Experiment(cell="rnn", init="identity", hidden_size=48)).recurrent
    assert identity.weight_ih_l0.std().item() == pytest.approx(0.001, rel=0.1)
    assert not identity.bias_ih_l0.any() and not identity.bias_hh_l0.any()


@pytest.mark.parametrize(("cell", "gate"), [("lstm", slice(6, 12)), ("gru", slice(6, 12))])
def test_forget_bias_is_the_total_of_the_gate_that_keeps(cell, gate):
    plain = build(Experiment(cell=cell, hidden_size=6, num_layers=2, bidirectional=True))
    biased = build(Experiment(cell=cell, hidden_size=6, num_layers=2, bidirectional=True, forget_bias=3.0))
    for suffix in ("_l0", "_l0_reverse", "_l1", "_l1_reverse"):
        total = getattr(biased.recurrent, "bias_ih" + suffix) + getattr(biased.recurrent, "bias_hh" + suffix)
        assert torch.equal(total[gate], torch.full((6,), 3.0))
        weights = [getattr(each.recurrent, "weight_hh" + suffix) for each in (plain, biased)]
        assert torch.equal(*weights)


@pytest.mark.parametrize("embedding_size", [0, 4])
def test_before_the_first_symbol_the_input_is_zero(embedding_size):
    e = Experiment(task="characters", rnn_type="many_to_many", seq_len=4, embedding_size=embedding_size)
    batch = sample(e, 3, 2)
    seen = build(e).embed(batch)
    assert (batch.inputs[0] == NO_SYMBOL).all() and not seen[0].any() and seen[1:].any(-1).all()


@pytest.mark.parametrize("settings", [
    {"cell": "rnn"}, {"cell": "gru", "num_layers": 3, "bidirectional": True}, {"cell": "lstm", "embedding_size": 9},
    {"task": "adding", "num_layers": 2},
], ids=str)  # fmt: skip
def test_parameters_are_counted_without_building_the_network(settings):
    e = Experiment(**settings)
    assert parameter_count(e) == sum(parameter.numel() for parameter in build(e).parameters())


def test_causality_of_a_one_way_network():
    e = Experiment(task="stocks", rnn_type="many_to_many", num_layers=2, hidden_size=5, seq_len=6)
    for bidirectional in (False, True):
        model = build(e.replace(bidirectional=bidirectional)).double()
        inputs = torch.randn(6, 1, 1, dtype=torch.float64, requires_grad=True)
        output = model.head(model.recurrent(inputs)[0])
        later = torch.autograd.grad(output[2].sum(), inputs)[0][3:]
        assert bool(later.any()) == bidirectional
