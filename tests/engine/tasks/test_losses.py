"""The losses of numbers: PyTorch's, the simple answers that they are compared with, and the best constant."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import huber_loss, l1_loss, mse_loss

from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.tasks import TASKS, held_out, probe, sample
from engine.tasks.losses import LOSSES, best_constant_loss, losses_of_answers, value_losses
from engine.training import Trainer
from engine.training.held_out import answered

TORCHS = {"mse": mse_loss, "mae": l1_loss, "huber": huber_loss}
VALUES = [slug for slug, task in TASKS.items() if task.outputs == "values"]


@pytest.mark.parametrize("kind", LOSSES)
def test_they_are_those_of_pytorch(kind):
    errors = np.random.default_rng(0).normal(0, 2, (50, 3))
    theirs = TORCHS[kind](torch.tensor(errors), torch.zeros(50, 3, dtype=torch.float64), reduction="none").numpy()
    np.testing.assert_allclose(value_losses(kind, errors), theirs, rtol=1e-12)


@pytest.mark.parametrize("rnn_type", ["many_to_one", "many_to_many"])
@pytest.mark.parametrize("slug", VALUES)
def test_simple_answers_have_the_losses_that_the_task_names(slug, rnn_type):
    """In squared error, where these are known exactly or computed; so their other losses are those of the same."""
    task = TASKS[slug]
    if rnn_type not in task.rnn_types:
        return
    e = Experiment(task=slug, rnn_type=rnn_type)
    batch = sample(e, 20_000, 1) if task.baselines_on is None else held_out(e)
    named = task.baselines(e) if task.baselines_on is None else task.baselines_on(e, batch)
    ours = losses_of_answers("mse", task.simple_answers(e, batch), batch)
    assert list(ours) == [name for name in named if name in ours] and next(iter(ours)) == next(iter(named))
    left_out = {*named} - {*ours}
    assert left_out <= {"least possible without the gaps"}  # which is least in squared error alone
    for name, loss in ours.items():
        assert loss == pytest.approx(named[name], rel=0.05 if task.baselines_on is None else 1e-5), name


@pytest.mark.parametrize("kind", LOSSES)
def test_no_other_constant_is_better(kind):
    targets = np.random.default_rng(3).exponential(2, (201, 2)).astype(np.float32)
    least = best_constant_loss(kind, targets)
    tried = [value_losses(kind, constant - targets).mean(0) for constant in np.linspace(0, 8, 4001)]
    assert least == pytest.approx(np.min(tried, axis=0).mean(), abs=1e-5)


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_run_is_compared_in_its_own_unit(kind, reduction):
    """A network that says what a simple answer says has its loss."""
    e = Experiment(task="sunspots", rnn_type="many_to_many", seq_len=9, loss=kind, reduction=reduction, cell="rnn")
    trainer, info = Trainer(e), RunInfo.of(e)
    answers = TASKS["sunspots"].simple_answers(e, held_out(e))["next year like this one"]
    losses = value_losses(kind, answers - held_out(e).targets)[..., 0].sum(0) / (9 if reduction == "mean" else 1)
    assert info.held_out_baseline == pytest.approx(losses.mean(), rel=1e-6)
    for weight in trainer.model.parameters():
        torch.nn.init.zeros_(weight)
    assert answered(trainer.model, held_out(e), info)[0] >= info.constant_loss
    on_probe = value_losses(kind, probe(e).targets)[..., 0].sum(0) / (9 if reduction == "mean" else 1)
    assert trainer.frame().probe_loss == pytest.approx(on_probe.mean(), rel=1e-6)
    assert trainer.advance() > 0
