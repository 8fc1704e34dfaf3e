"""Weight decay and dropout before the head: PyTorch's own numbers, in training alone, nothing where they are off."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from torch.nn.functional import dropout

from engine.experiment import Experiment
from engine.model import build
from engine.recording.recording import Recording
from engine.tasks import sample
from engine.training import Trainer
from tests.engine.conftest import assert_same

SMALL: dict[str, Any] = {"hidden_size": 6, "seq_len": 8, "batch_size": 8, "clip": "none"}
KINDS: dict[str, dict[str, Any]] = {
    "to one": {},
    "to one, padded, both ways": {"task": "sentiment", "bidirectional": True},
    "padded, both ways": {"task": "entities", "rnn_type": "many_to_many", "bidirectional": True},
    "truncated": {"task": "sine", "rnn_type": "many_to_many", "tbptt": 3, "cell": "rnn"},
    "output layers": {"output_layers": 2, "cell": "gru"},
    "fed back": {"task": "melody", "rnn_type": "one_to_many", "teacher_forcing": 0.5, "seq_len": 9},
    "encoder-decoder": {"task": "reverse", "rnn_type": "encoder_decoder"},
    "encoder-decoder, fed back": {"task": "reverse", "rnn_type": "encoder_decoder", "teacher_forcing": 0.0},
}


def trained(updates: int, **settings: Any) -> Trainer:
    trainer = Trainer(Experiment(**{**SMALL, **settings}))
    for _ in range(updates):
        trainer.advance()
    return trainer


def weights(trainer: Trainer) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in trainer.model.parameters()]


# ---- weight decay


def test_adamw_without_decay_is_adam_and_with_it_another():
    adam, adamw = (trained(4, optimizer=name) for name in ("adam", "adamw"))
    assert all(torch.equal(*pair) for pair in zip(weights(adam), weights(adamw), strict=True))
    adam, adamw = (trained(4, optimizer=name, weight_decay=0.3) for name in ("adam", "adamw"))
    assert not all(torch.allclose(*pair, rtol=1e-3) for pair in zip(weights(adam), weights(adamw), strict=True))


def test_decay_alone_shrinks_the_weights_of_adamw_and_no_norm_of_a_gradient_counts_it():
    """The embedding of a symbol that never occurs has gradient 0: only the decay moves it."""
    trainer = trained(0, optimizer="adamw", weight_decay=0.5, learning_rate=0.1, embedding_size=3, batch_size=1)
    before = trainer.model.embedding.weight.detach().clone()
    trainer.advance()
    unread = (trainer.model.embedding.weight.grad == 0).all(1)
    assert unread.any() and torch.allclose(trainer.model.embedding.weight[unread], before[unread] * (1 - 0.1 * 0.5))
    plain = trained(1, optimizer="adamw", learning_rate=0.1, embedding_size=3, batch_size=1)
    assert trainer.param_grad_norm == plain.param_grad_norm


# ---- dropout before the head


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_before_the_head_changes_training_and_nothing_that_is_measured(kind):
    trainer, plain = (trained(0, **KINDS[kind], head_dropout=p) for p in (0.5, 0.0))
    assert trainer.frame().probe_loss == plain.frame().probe_loss
    assert trainer.advance() != plain.advance()
    model = trainer.model.eval()
    drawn = torch.random.get_rng_state()
    model(sample(trainer.experiment, 3, 1))
    assert torch.equal(torch.random.get_rng_state(), drawn)


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_draws_the_same_mask_whenever_it_is_made(kind):
    quiet, watched = (trained(0, **KINDS[kind], head_dropout=0.5) for _ in range(2))
    for _ in range(3):
        quiet.advance()
        watched.frame(("jacobians", "saliency"))
        watched.advance()
        torch.rand(3)
    assert quiet.loss == watched.loss
    assert_same(quiet.frame(), watched.frame())
    drawn = torch.random.get_rng_state()
    quiet.frame()
    assert torch.equal(torch.random.get_rng_state(), drawn)


@pytest.mark.parametrize("settings", [{}, {"output_layers": 1}, {"task": "sine", "rnn_type": "many_to_many"}], ids=str)
def test_it_acts_on_what_the_first_layer_above_reads(settings):
    e = Experiment(**SMALL, **settings, head_dropout=0.4)
    model, batch = build(e), sample(e, 50, 1)
    above = model.upper[0] if settings.get("output_layers") else model.head
    read: list[torch.Tensor] = []
    above.register_forward_hook(lambda _, args, result: read.append(args[0].detach()))
    model.eval()(batch)
    model.train()(batch)
    states, kept = read
    torch.testing.assert_close(kept, torch.where(kept == 0, 0, states / 0.6))
    assert 0.3 < (kept == 0).float().mean() < 0.5


def test_its_numbers_are_drawn_after_those_of_dropout_and_noise():
    """So the states below are those of a run without it, and its mask is the next that the generator gives."""
    settings = {**SMALL, "num_layers": 2, "dropout": 0.3, "noise": 0.2}
    models = [build(Experiment(**settings, head_dropout=p)) for p in (0.0, 0.4)]
    read: list[torch.Tensor] = []
    for model in models:
        model.head.register_forward_hook(lambda _, args, result: read.append(args[0].detach()))
        torch.manual_seed(5)
        model.train()(sample(model.experiment, 8, 1))
        if model is models[0]:
            expected = dropout(read[0], 0.4)
    assert torch.equal(read[1], expected)


def test_where_outputs_are_fed_back_each_step_has_a_mask_of_its_own():
    e = Experiment(**SMALL, task="reverse", rnn_type="encoder_decoder", teacher_forcing=0.5, head_dropout=0.5)
    model, read = build(e), []
    model.head.register_forward_hook(lambda _, args, result: read.append(args[0].detach() == 0))
    model.train()(sample(e, 8, 1))
    assert len(read) > 2 and not torch.equal(read[0], read[1])


# ---- while a run trains


def test_a_live_change_is_recorded_and_found_again(tmp_path):
    change = {"weight_decay": 0.2, "head_dropout": 0.5}
    trainer = trained(2, optimizer="adamw")
    saved = trainer.checkpoint()
    frames = [trainer.frame()]
    trainer.update(**change)
    trainer.advance()
    assert trainer.changes == ((2, change),)
    frames.append(trainer.frame())
    later = Trainer(trainer.info.experiment)
    later.restore(trainer.checkpoint())
    assert (later.experiment.weight_decay, later.experiment.head_dropout) == (0.2, 0.5)
    branch = Trainer(trainer.info.experiment)
    branch.restore(saved)
    assert branch.experiment.weight_decay == 0.0
    branch.update(**change)
    branch.advance()
    for each in (trainer, later, branch):
        each.advance()
    assert_same(trainer.frame(), later.frame())
    assert_same(trainer.frame(), branch.frame())
    unchanged = trained(4, optimizer="adamw")
    assert unchanged.loss != trainer.loss
    Recording.of(trainer.info.experiment, frames, trainer.changes).save(tmp_path / "run.zip")
    assert Recording.load(tmp_path / "run.zip").changes == ((2, change),)


def test_settings_of_an_older_program_take_the_defaults():
    old = Experiment().to_dict()
    del old["weight_decay"], old["head_dropout"]
    assert Experiment.from_dict(json.loads(json.dumps(old))) == Experiment()
