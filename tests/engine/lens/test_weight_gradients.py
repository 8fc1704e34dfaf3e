"""What the weights learn from each step: the textbook loop with a separate copy of the weights at every step."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.experiment import Experiment
from engine.lens import weight_gradients
from engine.lens.forward_trace import trace_forward
from engine.lens.gradient_flow import seed
from engine.lens.sweep import sweep
from engine.lens.weight_gradients import weight_gradients_of, where_enters
from engine.tasks import sample
from tests import reference_unroll as reference
from tests.cases import grid, in_turn
from tests.engine.lens.conftest import assert_weights_are_right
from tests.engine.networks import FULL, LINKED_CELLS, NETWORKS, TYPES, case, lively, name_of

LENGTHS = np.array([7, 4])


# ---- against autograd


@pytest.mark.parametrize(
    ("network", "rnn_type", "num_layers"), grid(NETWORKS, TYPES, [1, 2], kept=in_turn), ids=name_of
)
def test_one_way(network, rnn_type, num_layers):
    model, batch = case(rnn_type, LENGTHS, num_layers=num_layers, **network)
    for b, length in enumerate(LENGTHS):
        losses = ("last", "first", 2) if rnn_type == "many_to_many" else ("last",)
        result = assert_weights_are_right(model, batch, b, losses)
        assert np.isnan(result.ih[:, :, length:]).all()
        if result.hh is not None:
            assert not result.hh[:, :, 0].any()  # h before the first step is 0
            assert not np.nan_to_num(result.hh_beyond[:, :, length - 1 :]).any()  # nothing lies that far back


LEARNING = [cell for cell in LINKED_CELLS if not cell.startswith("linear")]
"""Cells with weights between a state and the next."""


@pytest.mark.parametrize("cell", LEARNING)
def test_both_ways(cell):
    """In the reverse direction what lies further back in time stands further to the right."""
    model, batch = case("many_to_many", LENGTHS, cell=cell, num_layers=2, bidirectional=True, output_layers=1)
    single, same = case("many_to_one", LENGTHS, cell=cell, bidirectional=True)
    for b, length in enumerate(LENGTHS):
        assert_weights_are_right(model, batch, b, ("last", "first", "all", 2))
        result = assert_weights_are_right(single, same, b)
        assert not result.hh[:, 1, length - 1].any()


@pytest.mark.parametrize(("cell", "embedding_size"), grid(LEARNING, [0, 3], kept=in_turn))
def test_source_and_target_side_have_weights_of_their_own(cell, embedding_size):
    e = Experiment(task="addition", rnn_type="encoder_decoder", cell=cell, hidden_size=5, num_layers=2,
                   embedding_size=embedding_size)  # fmt: skip
    model, batch = lively(e), sample(e, 4, 20)
    for b in (0, 1):
        result = assert_weights_are_right(model, batch, b)
        first = batch.source_steps
        learns = result.hh[:, :, first] > 0  # its h before is where the encoder ended
        assert learns.all() or (cell == "indrnn" and learns.any())  # whose ReLUs may all be at 0 there
        assert not result.hh[:, :, 0].any()


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "lstm_peephole"])
def test_truncation(cell):
    """Exactly nothing is learnt from beyond the wall; at its foot W_hh still learns from the state that came over."""
    model, batch = case("many_to_one", np.array([11]), cell=cell, tbptt=4, num_layers=2)  # cut before 3 and before 7
    result = assert_weights_are_right(model, batch, 0)
    for values in (result.hh, result.ih):
        assert not values[:, :, :7].any() and (values[:, :, 7:] > 0).all()
    for beyond in (result.hh_beyond, result.ih_beyond):
        assert not beyond[:, :, 4:].any() and (np.abs(beyond[:, :, :3]) > 0).all()


def test_padding_does_not_count_as_steps():
    """A sequence has the same terms and shares whatever stands after its end."""
    model, batch = case("many_to_one", np.array([7, 4]), cell="gru")
    _, short = case("many_to_one", np.array([4, 4]), cell="gru")
    short.inputs[:, 1] = batch.inputs[:4, 1]
    short.targets[:, 1] = batch.targets[:4, 1]
    padded, alone = weight_gradients(model, batch, 1), weight_gradients(model, short, 1)
    for name in ("hh", "ih", "hh_beyond", "ih_beyond"):
        assert np.allclose(getattr(padded, name)[:, :, :4], getattr(alone, name), rtol=1e-9, atol=1e-15)


def test_outputs_that_are_fed_back():
    for task in ("melody", "digit_name"):
        e = Experiment(task=task, rnn_type="one_to_many", cell="gru", hidden_size=5)
        assert_weights_are_right(lively(e), sample(e, 2, 4), 1, ("last", "first"))


# ---- what is known in closed form


def test_the_reset_gate_stands_between_a_gru_and_its_content():
    """With r = 0 the rows of the content learn nothing from h; they would learn all of it if r were left out."""
    norms = {}
    for reset in (-1000.0, 1000.0):
        model, batch = case("many_to_one", FULL, cell="gru")
        with torch.no_grad():
            for weights in (model.recurrent.weight_ih_l0, model.recurrent.weight_hh_l0):
                weights[:10].zero_()  # neither gate sees anything
            model.recurrent.bias_ih_l0[:5] = reset
        result = assert_weights_are_right(model, batch, 0)
        terms = reference.unroll(model, batch.single_sequence(0), apart=True).weight_terms("weight_hh")
        norms[reset] = [float(terms[0, 0, t, 0][10:].norm()) for t in range(1, 7)]
        assert np.allclose([float(terms[0, 0, t, 0].norm()) for t in range(7)], result.hh[0, 0], rtol=1e-9)
    assert not any(norms[-1000.0]) and all(norms[1000.0])


def test_terms_of_a_network_of_one_unit():
    """h_t = h_{t-1} + x_t and y = h_T: every step has the same slope e, so the terms are e h_{t-1} and e x_t."""
    model, batch = case("many_to_one", np.array([4]), cell="rnn", nonlinearity="identity", hidden_size=1)
    for parameter in model.parameters():
        parameter.data.fill_(0.0)
    for weight in (model.recurrent.weight_hh_l0, model.recurrent.weight_ih_l0, model.head.weight):
        weight.data.fill_(1.0)
    batch.inputs[:, 0, 0], batch.targets[3, 0, 0] = [1.0, 2.0, -4.0, 3.0], 0.0  # h is 1, 3, -1, 2; e = 2 y = 4
    result = weight_gradients(model, batch)
    assert result.ih[0, 0].tolist() == [4.0, 8.0, 16.0, 12.0]
    assert result.hh[0, 0].tolist() == [0.0, 4.0, 12.0, 4.0]
    # dL/dW_ih = 4 (1 + 2 - 4 + 3) = 4 * 2: beyond 0, 1, 2, 3 steps lie -1, 3, 1, 0 of these 2
    assert result.ih_beyond[0, 0].tolist() == [-0.5, 1.5, 0.5, 0.0]
    assert result.hh_beyond[0, 0] == pytest.approx([4 / 3, 1 / 3, 0.0, 0.0])  # (0 + 1 + 3 - 1): 4, 1, 0 of these 3


def test_shares_of_terms_far_below_the_smallest_square():
    """dL/da of 1e-200 everywhere: norms and shares are those of 1, but for the size."""
    model, batch = case("many_to_one", FULL, cell="rnn")
    plain = weight_gradients(model, batch)
    with torch.no_grad():
        target, outputs = float(batch.targets[6, 0, 0]), [float(model(batch)[0, 0, 0])]
        model.head.weight.mul_(1e-200)
        outputs.append(float(model(batch)[0, 0, 0]))
        small, size = weight_gradients(model, batch), (outputs[1] - target) / (outputs[0] - target)
    for name in ("hh", "ih"):
        assert np.allclose(getattr(small, name) / 1e-200, getattr(plain, name) * size, rtol=1e-9, atol=0)
        assert np.allclose(getattr(small, f"{name}_beyond"), getattr(plain, f"{name}_beyond"), rtol=1e-9, atol=1e-15)


def test_a_frame_reads_the_last_loss_forwards_and_the_first_one_backwards():
    """Each where a direction has read most before it: one sweep of both losses."""
    model, batch = case("many_to_many", LENGTHS, cell="lstm", bidirectional=True)
    trace = trace_forward(model, batch)
    enters = [where_enters(trace, 1, d, loss) for d, loss in enumerate(("last", "first"))]
    result = weight_gradients_of(sweep(trace, seed(trace, ["all", "last", "first"])), (1, 2), enters, 1)
    for d, loss in enumerate(("last", "first")):
        single = weight_gradients(model, batch, 1, loss)
        for name in ("hh", "ih", "hh_beyond", "ih_beyond"):
            np.testing.assert_allclose(getattr(result, name)[:, d], getattr(single, name)[:, d], rtol=1e-9, atol=1e-15)


def test_no_gradient_has_no_shares():
    model, batch = case("many_to_many", LENGTHS, cell="gru")
    result = weight_gradients(model, batch, 1, loss=6)  # the second sequence has no such step
    assert not result.ih[:, :, :4].any() and np.isnan(result.ih_beyond).all() and np.isnan(result.hh_beyond).all()
