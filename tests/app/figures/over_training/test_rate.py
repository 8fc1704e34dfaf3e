"""The learning rate over training: the plan is what the trainer then does, and only training knows a plateau."""

from __future__ import annotations

import numpy as np
import pytest

from app.figures import FIGURES, Curves
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.recording.history import rates
from engine.schedule import last_change, planned_rates
from engine.training import Trainer
from tests.app.figures.conftest import seen

TINY = {"seq_len": 6, "hidden_size": 4, "batch_size": 4}


def applies(**settings) -> bool:
    return FIGURES["rate"].applies(RunInfo.of(Experiment(**TINY, **settings)))


def test_it_stands_there_where_the_rate_changes():
    assert not applies() and applies(warmup=3) and applies(schedule="cosine") and applies(schedule="plateau")


@pytest.mark.parametrize(
    "schedule",
    [
        {"warmup": 3},
        {"schedule": "cosine", "schedule_steps": 5, "warmup": 2},
        {"schedule": "step", "schedule_steps": 2},
    ],
    ids=str,
)
def test_the_plan_is_what_training_does(schedule):
    trainer, had = Trainer(Experiment(**TINY, **schedule)), []
    for _ in range(9):
        had.append(trainer.learning_rate)
        trainer.advance()
    assert planned_rates(trainer.experiment, np.arange(9)) == pytest.approx(had)
    last = last_change(trainer.experiment)
    assert last is None or len(set(had[last:])) == 1


def test_of_a_plateau_only_the_warm_up_is_planned():
    plan = planned_rates(Experiment(**TINY, schedule="plateau", warmup=2), np.arange(4))
    assert np.isfinite(plan[:2]).all() and np.isnan(plan[2:]).all()
    assert last_change(Experiment(**TINY, schedule="plateau")) is None


def test_the_line_so_far_has_the_rates_of_the_frames():
    info, frame, curves = seen("cosine")
    trainer = Trainer(info.experiment)
    frames = [trainer.frame()]
    while trainer.step < frame.step:
        trainer.advance()
        frames.append(trainer.frame())
    so_far = Curves(curves.updates, curves.looks, rates=rates(frames))
    drawn = FIGURES["rate"].patch(info, frames[-1], so_far)
    assert drawn["data.1.x"].tolist() == [0, 1, 2, 3]
    assert drawn["data.1.y"] == pytest.approx([each.learning_rate for each in frames])
    assert drawn["data.2.y"] == pytest.approx([frame.learning_rate])
    assert drawn["layout.yaxis.range"][1] > max(each.learning_rate for each in frames)
