"""The held-out record: at fixed steps, the same however often anybody looks, and a verdict that does not flicker."""

from __future__ import annotations

import math

import pytest

from engine.experiment import Experiment
from engine.frame import Frame
from engine.frame.held_out import HeldOutRecord
from engine.preset import list_presets
from engine.tasks import held_out
from engine.training import NotFiniteError, Trainer
from engine.training.held_out import EARLY_STEPS, interval, measured

SMALL = Experiment(task="adding", cell="gru", hidden_size=6, seq_len=8, batch_size=256)


def record(frame: Frame) -> dict[str, float]:
    return {name: getattr(frame, name) for name in vars(HeldOutRecord())}


def test_it_is_measured_at_fixed_steps():
    trainer, steps = Trainer(SMALL), []
    every = interval(SMALL.batch_size, 256)
    while trainer.step < 3 * every:
        trainer.advance()
        steps.append(trainer.frame().held_out_step)
    assert sorted(set(steps)) == sorted({0, *EARLY_STEPS, every, 2 * every, 3 * every})


@pytest.mark.parametrize("steps", [5, 23, 60, 150])
def test_the_last_step_is_measured_and_compared_with_one_that_is_as_far_away_as_usual(steps):
    trainer = Trainer(SMALL.replace(steps=steps))
    while not trainer.finished:
        trainer.advance()
    frame, fixed = trainer.frame(), [at for at in (0, *EARLY_STEPS, 100, 150) if at <= steps]
    before = fixed[-2] if len(fixed) > 1 else -1
    assert (frame.held_out_step, frame.held_out_earlier_step) == (steps, before)
    loss, metric, _ = measured(trainer.model, held_out(trainer.experiment), trainer.info)
    assert (frame.held_out_loss, frame.held_out_metric) == (loss, metric)


def test_a_run_that_reaches_its_target_is_measured_there():
    trainer = Trainer(SMALL.replace(target_loss=10.0))
    while not trainer.finished:
        trainer.advance()
    assert trainer.step < SMALL.steps and trainer.frame().held_out_step == trainer.step


def test_it_is_the_same_however_often_anybody_looked_and_after_a_checkpoint():
    watched, alone, resumed = Trainer(SMALL), Trainer(SMALL), Trainer(SMALL)
    for _ in range(60):
        watched.advance()
        watched.frame()
        alone.advance()
    resumed.restore(alone.checkpoint())
    expected = record(alone.frame())
    assert record(watched.frame()) == record(resumed.frame()) == expected
    assert not any(isinstance(value, float) and math.isnan(value) for value in expected.values())


def test_a_refused_update_is_measured_at_once():
    """No later step would be."""
    trainer = Trainer(SMALL.replace(cell="rnn", nonlinearity="relu", optimizer="sgd", learning_rate=10.0, clip="none"))
    with pytest.raises(NotFiniteError):
        for _ in range(200):
            trainer.advance()
    frame = trainer.frame()
    assert frame.held_out_step == frame.step and not frame.held_out_loss < 3 * trainer.info.held_out_baseline
    assert frame.diagnosis.kind in ("diverged", "not_finite")


@pytest.mark.full
@pytest.mark.parametrize("preset", list_presets(), ids=lambda preset: preset.slug)
def test_no_verdict_flickers_within_50_updates(preset):
    trainer, changes = Trainer(preset.experiment), [(-1000, "")]
    try:
        while trainer.step < 800 and not trainer.finished:
            if trainer.step % 5 == 0 and (kind := trainer.frame().diagnosis.kind) != changes[-1][1]:
                changes.append((trainer.step, kind))
            trainer.advance()
    except NotFiniteError:
        pass
    flickers = [
        (first, second, third)
        for first, second, third in zip(changes, changes[1:], changes[2:], strict=False)
        if first[1] == third[1] and third[0] - second[0] < 50
    ]
    assert not flickers
