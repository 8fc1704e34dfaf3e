"""Learning-rate schedules: PyTorch's own give the same rates, and a checkpoint, a frame and a recording know them."""

from __future__ import annotations

import io
import math
from itertools import pairwise

import pytest
import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, ReduceLROnPlateau, SequentialLR, StepLR

from engine.diagnosis.cures import usual_updates
from engine.experiment import CHOICES, Experiment
from engine.recording.recording import Recording
from engine.schedule import Schedule
from engine.slow_motion.dry_run import dry_run_update
from engine.training import Trainer
from tests.engine.conftest import assert_same

SMALL = {"task": "first_symbol_recall", "cell": "rnn", "hidden_size": 4, "seq_len": 4, "batch_size": 4}
KINDS = {
    "step": lambda optimizer: StepLR(optimizer, step_size=30, gamma=0.2),
    "cosine": lambda optimizer: CosineAnnealingLR(optimizer, T_max=30),
}


def rates(scheduler, optimizer, updates):
    """PyTorch's learning rates of the first updates."""
    used = []
    for _ in range(updates):
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return used


@pytest.mark.parametrize("kind", KINDS)
def test_pytorchs_schedule_gives_the_same_rates(kind):
    e = Experiment(learning_rate=0.7, schedule=kind, schedule_steps=30, schedule_factor=0.2)
    optimizer = SGD([torch.zeros(1)], lr=0.7)
    schedule, until = Schedule(e), 31 if kind == "cosine" else 100  # PyTorch's cosine climbs again after its end
    ours = [0.7 * schedule.factor(step) for step in range(until)]
    assert ours == pytest.approx(rates(KINDS[kind](optimizer), optimizer, until), abs=1e-12)


def test_a_warm_up_ends_where_the_schedule_begins():
    e = Experiment(learning_rate=1.0, schedule="cosine", schedule_steps=30, warmup=8)
    optimizer = SGD([torch.zeros(1)], lr=1.0)
    climbs = LinearLR(optimizer, start_factor=1 / 8, end_factor=1.0, total_iters=7)
    both = SequentialLR(optimizer, [climbs, CosineAnnealingLR(optimizer, T_max=30)], milestones=[8])
    schedule = Schedule(e)
    assert [schedule.factor(step) for step in range(38)] == pytest.approx(rates(both, optimizer, 38), abs=1e-12)


def test_a_cosine_has_a_horizon_of_its_own_and_stays_at_its_end():
    def after(step, steps):
        return Schedule(Experiment(schedule="cosine", schedule_steps=steps, steps=9)).factor(step)

    assert after(1000, 3000) == pytest.approx(0.75) and after(1000, 6000) == pytest.approx(0.933, abs=1e-3)
    assert after(3000, 3000) == after(5000, 3000) == 0.0


def test_pytorchs_plateau_gives_the_same_rates():
    chance = torch.Generator().manual_seed(3)
    losses = (2 + torch.rand(400, generator=chance).double() - torch.linspace(0, 0.3, 400).double()).tolist()
    e = Experiment(schedule="plateau", schedule_steps=10, schedule_factor=0.5, warmup=5)
    schedule, optimizer = Schedule(e), SGD([torch.zeros(1)], lr=1.0)
    plateau = ReduceLROnPlateau(optimizer, factor=0.5, patience=0, threshold=0, eps=0)
    seen = set()
    for step, loss in enumerate(losses):
        schedule.add(step, loss)
        if step >= 5 and (step - 4) % 10 == 0:
            plateau.step(sum(losses[step - 9 : step + 1]) / 10)
        if step >= 5:
            assert schedule.factor(step + 1) == optimizer.param_groups[0]["lr"]
            seen.add(schedule.factor(step + 1))
    assert len(seen) > 5


@pytest.mark.parametrize("kind", CHOICES["schedule"])
def test_an_update_by_sgd_moves_by_the_rate_that_the_frame_before_it_says(kind):
    e = Experiment(**SMALL, optimizer="sgd", clip="none", learning_rate=0.5, schedule=kind, schedule_steps=2, warmup=2)
    trainer, used = Trainer(e), []
    for _ in range(9):
        said, before = trainer.frame().learning_rate, [each.detach().clone() for each in trainer.model.parameters()]
        trainer.advance()
        for now, old in zip(trainer.model.parameters(), before, strict=True):
            assert now.grad is not None and torch.allclose(now, old - said * now.grad, atol=1e-7)
        used.append(said)
    assert used[:2] == [0.25, 0.5]
    assert (used[-1] < 0.5) == (kind != "constant")


@pytest.mark.parametrize("kind", ["cosine", "plateau"])
def test_a_checkpoint_goes_on_exactly(kind, tmp_path):
    horizon = {"cosine": 14, "plateau": 3}[kind]
    e = Experiment(**SMALL, learning_rate=3.0, schedule=kind, schedule_steps=horizon, warmup=2)
    straight, first = Trainer(e), Trainer(e)
    for _ in range(10):
        straight.advance()
        first.advance()
    first.update(learning_rate=2.0)
    straight.update(learning_rate=2.0)
    second = Trainer(e)
    second.restore(first.checkpoint())
    frames = []
    for _ in range(8):
        straight.advance()
        second.advance()
        frames.append(straight.frame())
        assert_same(straight.frame(), second.frame())
    assert any(one.learning_rate > other.learning_rate for one, other in pairwise(frames))
    Recording.of(e, frames, straight.changes).save(tmp_path / "run.zip")
    read = Recording.load(tmp_path / "run.zip")
    assert [each.learning_rate for each in read.frames] == [each.learning_rate for each in frames]
    assert read.experiment == e


def test_a_checkpoint_older_than_schedules_goes_on():
    trainer = Trainer(Experiment(**SMALL))
    trainer.advance()
    state = torch.load(io.BytesIO(trainer.checkpoint()), weights_only=True)
    del state["schedule"]
    buffer = io.BytesIO()
    torch.save(state, buffer)
    other = Trainer(Experiment(**SMALL))
    other.restore(buffer.getvalue())
    assert other.learning_rate == 0.003 and other.step == 1


def test_trying_the_next_update_on_a_copy_changes_no_schedule():
    e = Experiment(**SMALL, learning_rate=3.0, schedule="plateau", schedule_steps=1)
    tried, untried = Trainer(e), Trainer(e)
    for _ in range(6):
        dry_run_update(tried)
        tried.advance()
        untried.advance()
    assert_same(tried.frame(), untried.frame())
    assert tried.learning_rate < 3.0


def test_where_a_schedule_has_stopped_the_updates_the_cure_ends_it():
    e = Experiment(**SMALL, schedule="cosine", schedule_steps=2, warmup=1)
    trainer = Trainer(e)
    for _ in range(3):
        trainer.advance()
    frame = trainer.frame()
    assert frame.learning_rate == 0.0
    assert usual_updates(trainer.info, frame) == {"schedule": "constant", "warmup": 0}
    constant = Trainer(e.replace(schedule="constant", warmup=0))
    assert not math.isnan(constant.frame().learning_rate)
    assert usual_updates(constant.info, constant.frame()) == {}
