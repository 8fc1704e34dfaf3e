"""An encoder-decoder whose encoder reads both ways: every gradient against autograd on the slow loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.frame.attention import ATTENTION_PATHS
from engine.lens import gradient_flow
from engine.lens.attention_paths import encoder_paths
from engine.lens.followed_loss import followed_loss
from engine.lens.forward_trace import trace_forward
from engine.lens.gradient_flow import seed
from engine.lens.jacobians import chains_of_steps
from engine.lens.preactivations import chain_terms
from engine.lens.spectrum import eigenvalues, spectrum_of
from engine.lens.sweep import sweep
from engine.model import RecurrentNetwork
from engine.model.recurrent_dropout import masked_copy
from engine.tasks import Batch, sample
from tests import reference_unroll as reference
from tests.engine.lens.conftest import (
    assert_decomposition_is_right,
    assert_equal,
    assert_factors_are_right,
    assert_lens_is_right,
    assert_saliency_is_right,
    assert_weights_are_right,
)
from tests.engine.networks import LINKED, LINKED_CELLS, SEED_OF_MANY_LENGTHS, lively

KINDS = ("none", "dot", "scaled_dot")


def network(attention: str = "dot", task: str = "addition", **settings: object) -> tuple[RecurrentNetwork, Batch]:
    """A float64 network whose source and target have many lengths."""
    e = Experiment(task=task, attention=attention, rnn_type="encoder_decoder", bidirectional=True,
                   **{"num_layers": 2, "hidden_size": 5, **settings})  # fmt: skip
    batch = sample(e, 4, SEED_OF_MANY_LENGTHS)
    assert len(set(batch.lengths)) > 1 and len(set(batch.mask.sum(0))) > 1
    return lively(e), batch


@LINKED
def test_every_gradient_is_that_of_the_slow_loop(cell):
    attention = KINDS[LINKED_CELLS.index(cell) % 3]
    assert_lens_is_right(*network(attention, "reverse", cell=cell, embedding_size=3, learned_start=True))
    assert_lens_is_right(*network(KINDS[(LINKED_CELLS.index(cell) + 1) % 3], cell=cell, num_layers=1, output_layers=2))


@pytest.mark.parametrize("attention", KINDS)
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_all_other_readings_are_those_of_the_slow_loop(attention, cell):
    model, batch = network(attention, "reverse", cell=cell)
    for b in (0, 1):
        assert_decomposition_is_right(model, batch, b)
        assert_factors_are_right(model, batch, b)
        assert_weights_are_right(model, batch, b, ("last", "all"))
        assert_saliency_is_right(model, batch, b, np.flatnonzero(batch.counted[:, b]).tolist())


@pytest.mark.parametrize("attention", KINDS)
def test_nothing_is_on_padding_nor_backwards_in_a_decoder(attention):
    model, batch = network(attention, cell="lstm")
    flow = gradient_flow(model, batch)
    for values in (flow.hidden, flow.cell, flow.grad_hidden, flow.grad_hidden_direct, flow.grad_cell):
        assert not (values * ~batch.valid[..., None]).any()
        assert not values[:, 1, batch.source_steps :].any()
        real = values[:, 1, : batch.source_steps][:, batch.valid[: batch.source_steps]]
        assert values is flow.grad_hidden_direct or np.abs(real).min() > 0


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_attention_and_bridge_send_the_same_to_both_directions(cell):
    """d(fw + bw) is the same for both: at each step what attention sends, at its own last step what crosses over."""
    model, batch = network(cell=cell)
    trace = trace_forward(model, batch)
    swept = sweep(trace, seed(trace, ["all"]))
    forwards, backwards = (each.direct.to_float64() for each in swept.passes[0][-1])
    assert torch.equal(forwards, backwards) and bool(forwards.any())
    ends = torch.tensor(batch.lengths) - 1, torch.zeros(4, dtype=int)
    state = encoder_paths(swept)["state"][-1]
    at_ends = [each.total.to_float64()[end, 0, range(4)] for each, end in zip(state, ends, strict=True)]
    assert torch.equal(*at_ends) and bool(at_ends[0].any())


@pytest.mark.parametrize("cell", ["lstm", "gru_simple"])
def test_the_three_paths_are_those_of_autograd_and_add_up(cell):
    model, batch = network("scaled_dot", cell=cell)
    trace, source = trace_forward(model, batch), batch.source_steps
    for loss in ("all", "last"):
        paths = encoder_paths(sweep(trace, seed(trace, [loss])))
        whole, together = reference.gradients(model, batch, loss)["grad_hidden"][:, :, :source], 0.0
        for path in ATTENTION_PATHS:
            own = reference.unroll(model, batch, path=path).gradients(loss)["grad_hidden"][:, :, :source]
            found = np.stack([[each.total.to_float64()[:, 0].numpy() / 4 for each in row] for row in paths[path]])
            assert_equal(found, own)
            together = together + found
        assert np.abs(together - whole).max() <= 1e-12 * np.abs(whole).max()


def test_the_gradient_is_the_slope_of_the_loss():
    model, batch = network(cell="lstm")
    flow = gradient_flow(model, batch)
    last = int(batch.lengths[1]) - 1
    for layer, d, t, b, unit in [(0, 1, 0, 0, 0), (1, 1, 2, 1, 3), (1, 0, 1, 1, 4), (0, 1, last, 1, 2)]:
        nudge = 1e-5 * torch.eye(5, dtype=torch.float64)[unit]
        with torch.no_grad():
            ends = [float(reference.unroll(model, batch, {(layer, d, t, b): sign * nudge}).loss()) for sign in (1, -1)]
        slope = (ends[0] - ends[1]) / 2e-5
        assert flow.grad_hidden[layer, d, t, b, unit] == pytest.approx(slope, abs=1e-8) and abs(slope) > 1e-6


def test_a_followed_loss_is_relative_to_where_it_enters_the_decoder():
    model, batch = network(cell="lstm")
    step = int(np.flatnonzero(batch.counted[:, 0])[-1])
    alone = batch.single_sequence(0)
    followed = followed_loss(trace_forward(model, alone), step)
    slopes = reference.gradients(model, alone, step - batch.source_steps)["grad_cell"]
    norms = np.linalg.norm(slopes[..., 0, :], axis=-1)
    real = alone.valid[:, 0]
    expected = norms / norms[:, :1, step : step + 1]
    assert followed.relative[..., real] == pytest.approx(expected[..., real], rel=1e-9)
    assert not followed.relative[:, 1, batch.source_steps :].any()


@pytest.mark.parametrize("cell", ["lstm", "rnn"])
def test_links_and_weights_of_each_direction(cell):
    model, batch = network(cell=cell)
    trace = trace_forward(model, batch).single_sequence(1)
    real, source = np.flatnonzero(trace.batch.valid[:, 0]).tolist(), trace.batch.source_steps
    for row in chains_of_steps(trace):
        assert row[0].positions.tolist() == real
        assert row[1].positions.tolist() == [t for t in real if t < source][::-1]
    spectrum, name = spectrum_of(trace), next(iter(eigenvalues(model)))
    assert np.array_equal(spectrum.eigenvalues[name], eigenvalues(model)[name])
    at = CELLS[cell].gates.index(name) * 5 if name in CELLS[cell].gates else 0
    for d, weights in enumerate((model.decoder.weight_hh_l1, model.encoder.weight_hh_l1_reverse)):
        found = np.linalg.eigvals(weights.detach().numpy()[at : at + 5])
        assert np.sort(np.abs(spectrum.eigenvalues[name][1, d])) == pytest.approx(np.sort(np.abs(found)), rel=1e-9)
    terms = chain_terms(trace, 1, 1)
    read = trace.passes[0].cell_traces[1][1]
    length = int(trace.batch.lengths[0])
    own = (read.inputs[:length, 0] @ read.weights.ih.T).flip(0).numpy()
    assert terms.from_input[:length].reshape(length, -1) == pytest.approx(own, rel=1e-12)
    assert not terms.from_input[length:].any() and len(terms.from_input) == len(trace.batch.valid)


def test_a_network_of_recurrent_dropout_is_read_like_any_other():
    model, batch = network(cell="lstm", recurrent_dropout=0.3)
    torch.manual_seed(0)
    assert_lens_is_right(masked_copy(model, model.experiment), batch)
