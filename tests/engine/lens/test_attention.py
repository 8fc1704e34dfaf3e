"""Attention: every gradient against autograd on the slow loop, the three paths apart, and the weights themselves."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
import torch

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.frame.attention import ATTENTION_PATHS
from engine.lens import gradient_flow, loss_decomposition
from engine.lens.attention_paths import encoder_paths, path_numbers
from engine.lens.followed_loss import followed_loss
from engine.lens.forward_trace import trace_forward
from engine.lens.gradient_flow import loss_gradient, seed
from engine.lens.sweep import sweep
from engine.model import RecurrentNetwork, build
from engine.tasks import Batch, sample
from tests import reference_unroll as reference
from tests.cases import grid, in_turn
from tests.engine.lens.conftest import (
    assert_decomposition_is_right,
    assert_equal,
    assert_factors_are_right,
    assert_lens_is_right,
    assert_saliency_is_right,
    assert_weights_are_right,
)
from tests.engine.networks import NETWORKS, SEED_OF_MANY_LENGTHS, lively, name_of

KINDS = ("dot", "scaled_dot")
TWO_LAYERS = {"num_layers": 2, "hidden_size": 5, "rnn_type": "encoder_decoder"}


def network(attention: str = "dot", task: str = "addition", **settings: object) -> tuple[RecurrentNetwork, Batch]:
    """A float64 network whose source and target have many lengths."""
    e = Experiment(task=task, attention=attention, **{**TWO_LAYERS, **settings})
    batch = sample(e, 4, SEED_OF_MANY_LENGTHS)
    assert len(set(batch.lengths)) > 1 and len(set(batch.mask.sum(0))) > 1
    return lively(e), batch


@pytest.mark.parametrize(("cell", "attention"), grid(NETWORKS, KINDS, kept=in_turn), ids=name_of)
def test_every_gradient_is_that_of_the_slow_loop(cell, attention):
    for task, more in (("reverse", {"embedding_size": 3}), ("addition", {"output_layers": 2, "num_layers": 1})):
        assert_lens_is_right(*network(attention, task, **{**cell, "window": 1}, **more))


@pytest.mark.parametrize("cell", ["lstm", "gru_simple"])
def test_the_gradient_is_the_slope_of_the_loss(cell):
    model, batch = network(cell=cell)
    flow, last = gradient_flow(model, batch), int(batch.lengths[1]) - 1
    first = batch.source_steps
    for layer, t, b, unit in [(0, 0, 0, 0), (1, 2, 1, 3), (1, last, 1, 4), (1, first, 1, 2), (0, first + 1, 0, 1)]:
        nudge = 1e-5 * torch.eye(5, dtype=torch.float64)[unit]
        with torch.no_grad():
            ends = [float(reference.unroll(model, batch, {(layer, 0, t, b): sign * nudge}).loss()) for sign in (1, -1)]
        slope = (ends[0] - ends[1]) / 2e-5
        assert flow.grad_hidden[layer, 0, t, b, unit] == pytest.approx(slope, abs=1e-8) and abs(slope) > 1e-6


@pytest.mark.parametrize("attention", KINDS)
def test_all_other_readings_are_those_of_the_slow_loop(attention):
    model, batch = network(attention, "reverse", cell="lstm", output_layers=1)
    for b in (0, 1):
        assert_decomposition_is_right(model, batch, b)
        assert_factors_are_right(model, batch, b)
        assert_weights_are_right(model, batch, b, ("last", "all"))
        assert_saliency_is_right(model, batch, b, np.flatnonzero(batch.counted[:, b]).tolist())


@pytest.mark.parametrize("cell", list(CELLS))
def test_the_three_paths_are_those_of_autograd_and_add_up(cell):
    """Each is what is left when the slow loop forgets the other two ways back."""
    model, batch = network("scaled_dot", cell=cell)
    trace, source = trace_forward(model, batch), batch.source_steps
    for loss in ("all", "last", 1):
        swept = sweep(trace, seed(trace, [loss]))
        paths, numbers = encoder_paths(swept), path_numbers(swept)
        whole = reference.gradients(model, batch, loss)
        states = {"grad_hidden": (lambda each: each.total, numbers.shares)}
        if CELLS[cell].has_cell_state:
            states["grad_cell"] = (lambda each: each.total_cell, numbers.memory_shares)
        for name, (pick, shares) in states.items():
            total, together = whole[name][:, :, :source], 0.0
            for path in ATTENTION_PATHS:
                own = reference.unroll(model, batch, path=path).gradients(loss)[name][:, :, :source]
                found = np.stack([[pick(each).to_float64()[:, 0].numpy() / 4 for each in row] for row in paths[path]])
                assert_equal(found, own)
                together = together + found
                size = (total**2).sum(-1)
                with np.errstate(invalid="ignore"):
                    expected = (own * total).sum(-1) / size
                share = np.stack([[each[:, 0].numpy() for each in row] for row in shares[path]])
                np.testing.assert_allclose(share, np.where(size > 0, expected, np.nan), rtol=1e-9, atol=1e-9)
                assert (path == "state" and not CELLS[cell].is_recurrent) == (not np.abs(found).max() > 1e-9)
            assert np.abs(together - total).max() <= 1e-12 * np.abs(total).max()
            assert not np.abs(together * ~batch.valid[:source, :, None]).any()  # exactly nothing on padding


def test_loss_by_loss_by_path():
    """Each loss comes by three paths, too, and straight to a state only by its own row of the matrix."""
    model, batch = network(task="reverse", cell="gru")
    for b in (0, 1):
        alone, whole = batch.single_sequence(b), loss_decomposition(model, batch, b)
        source = alone.source_steps
        assert all(values.shape == (2, 1, len(alone.valid), source) for values in whole.path_norms.values())
        for k in np.flatnonzero(alone.mask[:, 0]):
            total = reference.gradients(model, alone, k)["grad_hidden"][:, :, :source, 0]
            for path in ATTENTION_PATHS:
                own = reference.unroll(model, alone, path=path).gradients(k)["grad_hidden"][:, :, :source, 0]
                size = np.linalg.norm(own, axis=-1)
                assert whole.path_norms[path][:, :, source + k] == pytest.approx(size, rel=1e-9)
                real = alone.valid[:source, 0]
                shares = (own * total).sum(-1)[:, :, real] / (total**2).sum(-1)[:, :, real]
                assert whole.path_shares[path][:, :, source + k][:, :, real] == pytest.approx(shares, abs=1e-9)
        without = np.flatnonzero(~alone.counted[:, 0])
        assert all(np.isnan(values[:, :, without]).all() for values in whole.path_norms.values())


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_followed_loss_comes_by_the_same_paths(cell):
    model, batch = network(cell=cell)
    trace, steps = trace_forward(model, batch), np.flatnonzero(batch.counted[:, 0])
    for step in steps[[0, -2]]:
        alone = followed_loss(trace, int(step))
        together = sum(alone.path_shares[path] for path in ATTENTION_PATHS)[..., : batch.lengths[0]]
        assert_equal(together, np.ones_like(together))
        if cell == "gru":  # whose memory is h, of which the decomposition is
            by_loss = loss_decomposition(model, batch)
            for path in ATTENTION_PATHS:
                real = slice(int(batch.lengths[0]))
                assert_equal(alone.path_norms[path][..., real], by_loss.path_norms[path][:, :, step, real])
                assert_equal(alone.path_shares[path][..., real], by_loss.path_shares[path][:, :, step, real])
    model, batch = network("none")
    assert followed_loss(trace_forward(model, batch), int(steps[-1])).path_shares == {}


@pytest.mark.parametrize("attention", KINDS)
def test_weights_and_what_is_sent_along_each_line(attention):
    model, batch = network(attention, "reverse", cell="lstm")
    trace, run = trace_forward(model, batch), reference.unroll(model, batch)
    weights = trace.attention.weights.numpy()
    for (t, b), alpha in run.alpha.items():
        assert weights[b, t, : batch.lengths[b]] == pytest.approx(alpha.detach().numpy(), rel=1e-12)
        assert not weights[b, t, batch.lengths[b] :].any()
    assert weights.sum(-1) == pytest.approx(1, rel=1e-14)
    for b in (0, 1):
        one = trace.single_sequence(b)
        sent = one.attention.sent(loss_gradient(one)).numpy()
        assert not sent[~batch.mask[:, b]].any()
        for k in np.flatnonzero(batch.mask[:, b]):
            direct = reference.gradients(model, batch.single_sequence(b), k)["grad_hidden_direct"]
            assert sent[k] == pytest.approx(np.linalg.norm(direct[-1, 0, : batch.source_steps, 0], axis=-1), rel=1e-9)


def test_padding_could_hold_anything():
    """A longer padding, and other symbols in it, change no bit of weights and gradients."""
    model, batch = network(task="reverse", cell="lstm")
    before = gradient_flow(model, batch)
    filled = dataclasses.replace(batch, inputs=np.where(batch.valid[: batch.source_steps], batch.inputs, 3))
    after = gradient_flow(model, filled)
    assert np.array_equal(before.grad_hidden, after.grad_hidden)
    assert np.array_equal(before.hidden, after.hidden)


def test_a_weight_too_small_for_float32_is_not_nothing():
    """Scores that differ by hundreds: each state gets its gradient with an exponent of its own."""
    e = Experiment(task="reverse", attention="dot", rnn_type="encoder_decoder", cell="rnn", nonlinearity="identity",
                   hidden_size=4)  # fmt: skip
    single, batch = build(e), sample(e, 4, 3)
    with torch.no_grad():
        for stack in single.stacks:
            stack.weight_hh_l0.zero_()  # each state gets what is sent to it straight
            stack.weight_ih_l0 *= 30
    sizes, weights = [], []
    for model in (single, copy.deepcopy(single).double()):
        trace = trace_forward(model, batch)
        weights.append(trace.attention.weights.numpy())
        sizes.append(path_numbers(sweep(trace, seed(trace, ["last"]))).norms["values"][0][0][:, 0].numpy())
    real = batch.valid[: batch.source_steps]
    for pair in (weights, sizes):
        there = pair[1] > 0
        assert 0 < pair[1][there].min() < 1e-46
        assert np.array_equal(there, pair[0] > 0)
        assert np.abs(np.log10(pair[0][there]) - np.log10(pair[1][there])).max() < 1e-3
    assert np.array_equal(sizes[1] > 0, real)


def test_without_attention_nothing_is_there():
    e = Experiment(task="reverse", rnn_type="encoder_decoder", hidden_size=5)
    trace = trace_forward(build(e), sample(e, 2, 1))
    assert trace.attention is None and sweep(trace, seed(trace, ["all"])).entry is None
