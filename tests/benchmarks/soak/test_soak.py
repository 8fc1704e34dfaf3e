"""A soak finds what is lost, and at its end nothing is."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest

from benchmarks.soak.soaking import KILL, STOP, Plan, soak
from benchmarks.soak.undisturbed import compare
from engine.experiment import Experiment
from engine.recording import Recording
from engine.recording.history import History
from engine.training import Trainer

SMALL = Experiment(hidden_size=4, seq_len=6, batch_size=4)


def recorded(flaw: float = 0.0) -> bytes:
    """A run of 30 updates with a change at step 10, as a zip file; the loss of update 20 is wrong by `flaw`."""
    trainer, curve = Trainer(SMALL), History()
    frames = [trainer.frame()]
    for step in range(1, 31):
        if step == 11:
            trainer.update(learning_rate=0.01)
        curve.add_update(step, trainer.advance() + flaw * (step == 20), 1.0, False)
    frames.append(trainer.frame())
    file = BytesIO()
    Recording(SMALL, trainer.changes, tuple(frames), curve.updates(), curve.looks()).save(file)
    return file.getvalue()


def test_an_undisturbed_run_is_the_same_to_the_last_bit_and_a_loss_that_differs_is_found():
    same = compare(recorded())
    assert (same.last, same.updates, same.frames, same.differ) == (30, 30, 2, ())
    assert compare(recorded(flaw=float(np.finfo(np.float32).eps))).differ == (20,)


def test_disturbances_come_at_random_moments_that_are_apart_and_are_the_same_for_a_seed():
    plan = Plan(minutes=10, visitors=2, kills=20, stops=2, cuts=0)
    moments = plan.moments()
    assert moments == plan.moments() != Plan(10, 2, 20, 2, 0, seed=1).moments()
    assert [kind for _, kind in moments].count(KILL) == 20 and [kind for _, kind in moments].count(STOP) == 2
    at = [moment for moment, _ in moments]
    assert min(np.diff(at)) > 10 and 0 < at[0] < at[-1] < 600


@pytest.mark.full
def test_after_kills_and_cuts_nothing_is_lost_and_every_loss_is_that_of_an_undisturbed_run():
    found = soak(Plan(minutes=1 / 3, visitors=2, kills=2, stops=0, cuts=2))
    assert found.problems == () and len(found.runs) == 2 and len(found.back) == 2
    assert all(run.updates > 50 and run.frames > 2 and run.differ == () for run in found.runs.values())
