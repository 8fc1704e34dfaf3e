"""A learned state before the first step: its gradient is the lens's dL/dh_0, and it goes wherever a network goes."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch

from engine.ask.answering import feed_back
from engine.cells import CELLS
from engine.experiment import Experiment
from engine.lens.forward_trace import trace_forward
from engine.lens.gradient_flow import seed
from engine.lens.scaled import Scaled
from engine.lens.sweep import sweep
from engine.model import RecurrentNetwork, build
from engine.parameters import parameter_shapes
from engine.recording.recording import Recording
from engine.slow_motion.dry_run import dry_run_update
from engine.step_through.unrolled import unroll
from engine.tasks import Batch, sample
from engine.training import Trainer
from tests import reference_unroll as reference
from tests.engine.conftest import assert_same

SMALL: dict[str, Any] = {"hidden_size": 5, "num_layers": 2, "learned_start": True}
TYPES = [("characters", "many_to_many", 9), ("sentiment", "many_to_one", 12), ("reverse", "encoder_decoder", 5)]
RECURRENT = [cell for cell in CELLS if CELLS[cell].is_recurrent]


def begun(task: str, rnn_type: str, seq_len: int, **settings: Any) -> tuple[RecurrentNetwork, Batch]:
    """A network whose start is no longer 0."""
    e = Experiment(task=task, rnn_type=rnn_type, seq_len=seq_len, **{**SMALL, **settings})
    model, chance = build(e).double(), torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if name.startswith("start_"):
                assert not weights.any()
                weights.copy_(torch.randn(weights.shape, generator=chance) / 2)
    return model, sample(e, 3, 1)


@pytest.mark.parametrize("cell", RECURRENT)
@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind[0])
def test_its_gradient_is_that_of_the_loop_and_what_leaves_the_first_step_of_the_lens(kind, cell):
    assert_gradient_of_start_is_right(*begun(*kind, cell=cell, bidirectional=kind[1] == "many_to_one"))


@pytest.mark.parametrize("cell", ["lstm", "gru_2014"])
def test_its_gradient_where_a_decoder_attends(cell):
    assert_gradient_of_start_is_right(*begun("reverse", "encoder_decoder", 5, cell=cell, attention="dot"))


def assert_gradient_of_start_is_right(model: RecurrentNetwork, batch: Batch) -> None:
    cell = model.experiment.cell
    model.loss(batch).backward()
    names = [f"start_{state}" for state in CELLS[cell].states]
    unrolled = reference.unroll(model, batch)
    looped = torch.autograd.grad(unrolled.loss(), [model.get_parameter(name) for name in names])
    trace = trace_forward(model, batch)
    result = sweep(trace, seed(trace, ["all"]))
    for at, name in enumerate(names):
        leaves = [Scaled(left.grad_carry[at], left.exponent).to_float64() for row in result.leaving for left in row]
        ours = torch.stack([each.sum(0) for each in leaves]) / len(batch.lengths)
        own = model.get_parameter(name).grad
        assert own.abs().max() > 0
        torch.testing.assert_close(ours, own, rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(looped[at], own, rtol=1e-9, atol=1e-12)


def test_the_norm_of_a_layer_norm_lstm_makes_its_first_gradient_huge_but_not_wrong():
    """At 0 the normalisation divides by the root of 1e-5."""
    e = Experiment(task="characters", rnn_type="many_to_many", seq_len=9, cell="lstm_layer_norm", **SMALL)
    model, batch = build(e).double(), sample(e, 3, 1)
    unrolled = reference.unroll(model, batch)
    (looped,) = torch.autograd.grad(unrolled.loss(), [model.start_h])
    model.loss(batch).backward()
    torch.testing.assert_close(model.start_h.grad, looped, rtol=1e-9, atol=1e-12)
    assert model.start_h.grad.norm() > 20 * model.start_c.grad.norm()


@pytest.mark.parametrize("settings", [{"cell": "lstm"}, {"cell": "gru", "tbptt": 4}, {"cell": "lstm_peephole"},
                                      {"cell": "linear"}, {"cell": "rnn", "nonlinearity": "sigmoid"}])  # fmt: skip
def test_every_way_of_running_begins_with_it(settings):
    model, batch = begun("characters", "many_to_many", 9, **settings)
    states = reference.unroll(model, batch).gradients()["hidden"]
    one = batch.single_sequence(0)
    np.testing.assert_allclose(trace_forward(model, batch).states(lambda each: each.hidden), states, atol=1e-12)
    loop = unroll(model, batch, 0)
    for (layer, d, t), hidden in loop.hidden.items():
        np.testing.assert_allclose(hidden.detach().numpy(), states[layer, d, t, 0], atol=1e-12)
    fed = feed_back(model, one, 1, lambda output: None)
    torch.testing.assert_close(fed[0], model.eval()(one)[-1])


def test_it_learns_and_is_kept_in_frames_checkpoints_recordings_and_weights(tmp_path):
    e = Experiment(task="parity", rnn_type="many_to_many", seq_len=6, cell="lstm", batch_size=8, **SMALL)
    trainer = Trainer(e)
    assert tuple(trainer.model.state_dict()) == tuple(parameter_shapes(e))
    assert not trainer.frame().first_hidden.any()
    without = Trainer(e.replace(learned_start=False))
    assert without.frame().first_hidden is None and without.frame().probe_loss == trainer.frame().probe_loss
    frames = []
    for _ in range(3):
        trainer.advance()
        frames.append(trainer.frame())
    assert frames[-1].first_hidden.shape == frames[-1].first_cell.shape == (2, 1, 5) and frames[-1].first_cell.all()
    resumed = Trainer(e)
    resumed.restore(trainer.checkpoint())
    trainer.advance(), resumed.advance()
    assert_same(trainer.frame(), resumed.frame())
    Recording.of(e, frames, ()).save(tmp_path / "run.zip")
    assert_same(Recording.load(tmp_path / "run.zip").frames[-1], frames[-1])
    other = build(e, trainer.weights())
    assert all(torch.equal(a, b) for a, b in zip(other.parameters(), trainer.model.parameters(), strict=True))
    update = dry_run_update(trainer)
    assert update.parameters[:2] == ("start_h", "start_c") and (update.gradient_norms[:2] > 0).all()


def test_tied_weights_are_one_matrix_with_both_gradients(tmp_path):
    e = Experiment(task="characters", rnn_type="many_to_many", seq_len=6, cell="lstm", embedding_size=8, hidden_size=8,
                   tied_weights=True, batch_size=4)  # fmt: skip
    trainer, loose = Trainer(e), build(e.replace(tied_weights=False)).double()
    assert "head.weight" not in parameter_shapes(e)
    assert [name for name, _ in trainer.model.named_parameters()] == list(parameter_shapes(e))
    model, batch = build(e).double(), sample(e, 4, 1)
    with torch.no_grad():
        for name, weights in loose.named_parameters():
            weights.copy_(model.embedding.weight if name == "head.weight" else model.get_parameter(name))
    for each in (model, loose):
        each.loss(batch).backward()
    torch.testing.assert_close(model.embedding.weight.grad, loose.embedding.weight.grad + loose.head.weight.grad)
    ours, theirs = trace_forward(model, batch), reference.gradients(model, batch)
    flow = sweep(ours, seed(ours, ["all"])).chains[0][0].total.to_float64()[:, 0] / 4
    np.testing.assert_allclose(flow.numpy(), theirs["grad_hidden"][0, 0], rtol=1e-9, atol=1e-14)
    for _ in range(3):
        trainer.advance()
    assert trainer.model.head.weight is trainer.model.embedding.weight
    resumed = Trainer(e)
    resumed.restore(trainer.checkpoint())
    trainer.advance(), resumed.advance()
    assert_same(trainer.frame(), resumed.frame())
    assert torch.equal(build(e, trainer.weights()).head.weight, trainer.model.embedding.weight)
    saved = torch.load(io.BytesIO(trainer.checkpoint()), weights_only=True)
    assert torch.equal(saved["model"]["head.weight"], saved["model"]["embedding.weight"])


def test_a_decoder_says_with_the_embedding_of_what_it_says():
    e = Experiment(
        task="reverse", rnn_type="encoder_decoder", seq_len=4, embedding_size=6, hidden_size=6, tied_weights=True
    )
    model = build(e)
    assert model.head.weight is model.decoder_embedding.weight is not model.embedding.weight
    assert [name for name, _ in model.named_parameters()] == list(parameter_shapes(e))
