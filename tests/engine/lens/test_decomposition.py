"""Loss by loss: each step's own loss by autograd on the textbook loop, and all of them together are the whole."""

from __future__ import annotations

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.lens import gradient_flow, loss_decomposition
from engine.lens.forward_trace import trace_forward
from engine.lens.on_demand import compute_on_demand
from engine.lens.subsample import MAX_ROWS
from engine.tasks import sample
from tests.cases import grid, in_turn
from tests.engine.lens.conftest import assert_decomposition_is_right
from tests.engine.networks import FULL, LINKED, NETWORKS, case, lively, name_of

LENGTHS = np.array([6, 4])


@pytest.mark.parametrize(("network", "num_layers"), grid(NETWORKS, [1, 2], kept=in_turn), ids=name_of)
def test_every_loss_of_a_one_way_network(network, num_layers):
    """Exactly 0 for what comes later; a cell without links in time keeps its losses to itself."""
    model, batch = case("many_to_many", LENGTHS, num_layers=num_layers, output_layers=num_layers - 1, **network)
    for b in range(2):
        norms = assert_decomposition_is_right(model, batch, b)
        k, t = np.indices(norms.shape[2:])
        assert not norms[:, :, t > k].any()
        if network["cell"] == "feedforward":
            assert not norms[:, :, t != k].any()


@LINKED
def test_every_loss_of_both_ways(cell):
    model, batch = case("many_to_many", LENGTHS, cell=cell, bidirectional=True, num_layers=2, reduction="sum")
    for b, length in enumerate(LENGTHS):
        norms = assert_decomposition_is_right(model, batch, b)
        k, t = np.indices(norms.shape[2:])
        assert not norms[1, 0][t > k].any() and not norms[1, 1][t < k].any()  # in the top layer each looks one way
        assert norms[0, :, :length, :length].all()  # below, both have read all


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_single_loss_is_the_whole(bidirectional):
    model, batch = case("many_to_one", LENGTHS, cell="lstm", bidirectional=bidirectional)
    for b, length in enumerate(LENGTHS):
        assert_decomposition_is_right(model, batch, b)
        cosines = loss_decomposition(model, batch, b).cosines
        assert cosines[:, :, length - 1, :length] == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "gru_simple"])
def test_every_loss_of_the_target_side(cell):
    e = Experiment(task="reverse", rnn_type="encoder_decoder", cell=cell, hidden_size=5, num_layers=2, seq_len=4)
    model, batch = lively(e), sample(e, 2, 5)
    for b in range(2):
        norms = assert_decomposition_is_right(model, batch, b)
        source = np.flatnonzero(batch.valid[: batch.source_steps, b])
        assert (norms[:, :, batch.counted[:, b]][..., source] > 0).all()


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_a_cut_holds_every_loss_back(cell):
    model, batch = case("many_to_many", np.array([11]), cell=cell, tbptt=4)  # cut before 3 and before 7
    norms = assert_decomposition_is_right(model, batch, 0)
    k, t = np.indices(norms.shape[2:])
    piece = np.digitize(np.arange(11), [3, 7])
    assert np.array_equal(norms[0, 0] > 0, (t <= k) & (piece[t] == piece[k]))


def test_two_losses_that_pull_against_each_other():
    """h_1 = h_0 = h with one unit and y = h: each loss pulls with its own error, one up, one down."""
    model, batch = case("many_to_many", np.array([2]), cell="rnn", nonlinearity="identity", hidden_size=1)
    for parameter in model.parameters():
        parameter.data.fill_(0.0)
    model.recurrent.weight_hh_l0.data.fill_(1.0), model.head.weight.data.fill_(1.0)
    batch.targets[:, 0, 0] = [3.0, -1.0]  # y is 0: the slopes of the two halves of the mean are -3 and +1
    result = loss_decomposition(model, batch)
    assert result.norms[0, 0].tolist() == [[3.0, 0.0], [1.0, 1.0]]
    assert result.cosines[0, 0, :, 0].tolist() == [1.0, -1.0]


def test_more_losses_than_fit_into_one_sweep_or_one_picture():
    e = Experiment(task="sine", rnn_type="many_to_many", cell="rnn", hidden_size=4, seq_len=150)
    model, batch = lively(e), sample(e, 2, 1)
    whole = loss_decomposition(model, batch)
    for k in (5, 127, 128, 149):
        norms = np.linalg.norm(gradient_flow(model, batch.single_sequence(0), k).grad_hidden[:, :, :, 0], axis=-1)
        assert np.allclose(whole.norms[:, :, k], norms, rtol=1e-9, atol=0)
    counted = np.flatnonzero(batch.counted[:, 0])
    some = compute_on_demand(trace_forward(model, batch), {"decomposition"})["decomposition"]
    assert len(some.steps) == MAX_ROWS and {counted[0], counted[-1]} <= set(some.steps) <= set(counted)
    assert np.allclose(some.norms, whole.norms[:, :, some.steps], rtol=1e-9, atol=0)
    total, last = (
        gradient_flow(model, batch.single_sequence(0), loss).grad_hidden[:, :, :, 0] for loss in ("all", 149)
    )
    lengths = np.linalg.norm(total, axis=-1) * np.linalg.norm(last, axis=-1)
    cosines = (total * last).sum(-1) / lengths  # with the total of all 150 losses, not of those that are shown
    assert np.allclose(some.cosines[:, :, -1], cosines, rtol=1e-6, atol=1e-9)


def test_a_single_loss_is_not_taken_apart_live():
    model, batch = case("many_to_one", FULL, cell="gru")
    assert "decomposition" not in compute_on_demand(trace_forward(model, batch), {"decomposition"})
