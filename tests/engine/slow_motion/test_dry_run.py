"""A rehearsal: the next update as it will be made, its gradients those of plain autograd, and a trainer left alone."""

from __future__ import annotations

import copy
import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch

from engine.experiment import Experiment
from engine.slow_motion.dry_run import dry_run_update
from engine.slow_motion.update_trace import UpdateTrace
from engine.tasks import Batch, sample
from engine.training import NotFiniteError, Trainer
from tests import reference_unroll as reference
from tests.engine.conftest import assert_same

SMALL: dict[str, Any] = {"hidden_size": 5, "seq_len": 6, "batch_size": 4}
PLAIN: dict[str, dict[str, Any]] = {
    "clipped by norm": {"cell": "rnn", "optimizer": "sgd", "clip": "norm", "clip_threshold": 0.02},
    "clipped by value": {"cell": "lstm", "optimizer": "momentum", "clip": "value", "clip_threshold": 0.003},
    "padded, both ways": {"task": "sentiment", "rnn_type": "many_to_one", "cell": "gru", "bidirectional": True,
                          "num_layers": 2, "clip": "none"},
    "decayed": {"cell": "gru", "optimizer": "adamw", "weight_decay": 0.5, "clip": "none"},
    "cut": {"task": "characters", "rnn_type": "many_to_many", "cell": "lstm_peephole", "tbptt": 2},
}  # fmt: skip
BY_CHANCE: dict[str, dict[str, Any]] = {
    "dropout": {"cell": "gru", "num_layers": 2, "dropout": 0.5},
    "dropout before the head": {"cell": "gru", "head_dropout": 0.5},
    "inputs dropped": {"cell": "rnn", "input_dropout": 0.5},
    "links dropped": {"cell": "lstm", "recurrent_dropout": 0.5, "num_layers": 2},
    "own answers": {"task": "reverse", "rnn_type": "encoder_decoder", "teacher_forcing": 0.5},
    "own answers, attention": {
        "task": "reverse",
        "rnn_type": "encoder_decoder",
        "teacher_forcing": 0.5,
        "attention": "dot",
    },
}


def trained(settings: dict[str, Any], updates: int = 2) -> Trainer:
    trainer = Trainer(Experiment(**{**SMALL, **settings}))
    for _ in range(updates):
        trainer.advance()
    return trainer


def batch_of(trainer: Trainer) -> Batch:
    e = trainer.experiment
    return sample(e, e.batch_size, (e.seed, trainer.step + 1))


def norms(values: list[torch.Tensor]) -> np.ndarray:
    return np.array([np.sqrt((each.detach().double().numpy() ** 2).sum()) for each in values])


@pytest.mark.parametrize("name", [*PLAIN, *BY_CHANCE])
def test_the_update_is_then_made_exactly_as_it_was_rehearsed(name):
    settings = {**PLAIN, **BY_CHANCE}[name]
    trainer, undisturbed = trained(settings), trained(settings)
    drawn = torch.random.get_rng_state()
    update = dry_run_update(trainer)
    assert torch.equal(torch.random.get_rng_state(), drawn)
    assert_same(trainer.frame(), undisturbed.frame())
    before = [p.detach().double().clone() for p in trainer.model.parameters()]
    assert update.step == trainer.step == 2 and trainer.advance() == update.loss
    t = trainer
    assert (update.norm, update.norm_clipped, update.clipped) == (
        t.param_grad_norm,
        t.param_grad_norm_clipped,
        t.clipped,
    )
    assert update.clipped == name.startswith("clipped")
    assert update.parameters == tuple(name for name, _ in t.model.named_parameters())
    assert np.allclose(update.weight_norms, norms(before), rtol=1e-12)
    assert np.allclose(update.clipped_norms, norms([p.grad for p in t.model.parameters()]), rtol=1e-12)
    moved = [p.detach().double() - old for p, old in zip(t.model.parameters(), before, strict=True)]
    assert np.allclose(update.change_norms, norms(moved), rtol=1e-12) and (update.change_norms > 0).any()
    undisturbed.advance()
    for _ in range(2):
        assert_same(trainer.frame(), undisturbed.frame())
        trainer.advance()
        undisturbed.advance()
    assert update.as_trained == (name in (*PLAIN, "links dropped"))  # which are in the weights


@pytest.mark.parametrize("name", PLAIN)
def test_losses_and_gradients_are_those_of_plain_autograd(name):
    trainer = trained(PLAIN[name])
    update, batch, model = dry_run_update(trainer), batch_of(trainer), copy.deepcopy(trainer.model)
    model.zero_grad()
    loss = model.loss(batch)
    loss.backward()
    expected = norms([p.grad for p in model.parameters()])
    assert update.loss == pytest.approx(loss.item(), rel=1e-6)
    assert np.allclose(update.gradient_norms, expected, rtol=1e-5)
    assert update.norm == pytest.approx(float(np.sqrt((expected**2).sum())), rel=1e-5)
    with torch.no_grad():
        counted = model.loss_per_step(batch).numpy()
    assert np.allclose(update.loss_per_step, counted[:, 0], rtol=1e-5)
    for t in range(len(counted)):
        here = counted[t, batch.mask[t]]
        assert update.batch_loss_per_step[t] == pytest.approx(here.mean(), rel=1e-5) if len(here) else (
            np.isnan(update.batch_loss_per_step[t])
        )  # fmt: skip
    trainer.advance()
    assert update.loss_after == pytest.approx(trainer.model.loss(batch).item(), rel=1e-6) != update.loss


@pytest.mark.parametrize("name", [*PLAIN, "own answers"])
def test_the_gradient_at_every_state_is_that_of_the_unrolled_loop(name):
    """Of L, the mean over the whole batch, and the states that it is the gradient of."""
    trainer = trained({**PLAIN, **BY_CHANCE}[name], updates=0)
    update, batch = dry_run_update(trainer), batch_of(trainer)
    expected = reference.gradients(trainer.model.double(), batch)
    assert np.allclose(update.hidden, expected["hidden"][:, :, :, 0], atol=1e-6)
    for field, theirs in (("grad_norm", "grad_hidden"), ("entering_norm", "grad_hidden_direct")):
        norm = np.linalg.norm(expected[theirs][:, :, :, 0], axis=-1)
        assert getattr(update, field) == pytest.approx(norm, rel=1e-3, abs=1e-9 * norm.max())
        assert norm.max() > 0


def test_an_update_that_cannot_be_made_says_so_and_leaves_the_trainer_as_it_was():
    settings = {"cell": "rnn", "nonlinearity": "relu", "init_gain": 10, "seq_len": 80}
    trainer, other = trained(settings, 0), trained(settings, 0)
    with pytest.raises(NotFiniteError, match="Update 1 was not made"):
        dry_run_update(trainer)
    assert trainer.step == 0 and math.isnan(trainer.loss)
    assert all(map(torch.equal, trainer.model.parameters(), other.model.parameters()))


def test_a_step_that_breaks_the_network_is_rehearsed_and_its_loss_after_is_not_finite():
    trainer = trained({"cell": "rnn", "nonlinearity": "identity", "init": "identity", "seq_len": 80,
                       "optimizer": "sgd", "learning_rate": 10.0, "clip": "none"}, 0)  # fmt: skip
    with torch.no_grad():
        trainer.model.head.weight *= 100
    update = dry_run_update(trainer)
    assert math.isfinite(update.loss) and not math.isfinite(update.loss_after)


def test_a_rehearsal_is_read_only():
    update = dry_run_update(trained(PLAIN["cut"], 0))
    arrays = [getattr(update, each.name) for each in dataclasses.fields(UpdateTrace)]
    assert not any(each.flags.writeable for each in arrays if isinstance(each, np.ndarray))
