"""Series that are asked for a value several steps ahead: right targets, right names, right simple answers."""

from __future__ import annotations

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.tasks import TASKS, probe, sample
from engine.tasks.series import CYCLE, weekly_log_prices, yearly_sunspots
from engine.training import Trainer
from tests.engine.conftest import assert_same

ASKED = [(slug, kind) for slug, task in TASKS.items() if task.farthest > 1 for kind in task.rnn_types]


def far(slug: str, horizon: int, kind: str = "many_to_many", **settings) -> Experiment:
    return Experiment(task=slug, rnn_type=kind, horizon=horizon, seq_len=9, hidden_size=4, batch_size=4, **settings)


@pytest.mark.parametrize(("slug", "kind"), ASKED)
def test_the_target_lies_so_many_steps_ahead(slug, kind):
    for horizon in (1, 3):
        batch = sample(far(slug, horizon, kind), 50, (0, 1))
        read, asked = batch.inputs[..., 0], batch.targets[..., 0]
        assert np.array_equal(read[horizon:], asked[:-horizon]) and len(read) == 9
        assert batch.mask.all() == (kind == "many_to_many")


def test_years_and_weeks_are_those_of_the_series():
    spots = yearly_sunspots()[:209]
    batch = sample(far("sunspots", 4), 30, (0, 1))
    for read, asked in zip(batch.inputs[..., 0].T, batch.targets[..., 0].T, strict=True):
        starts = [k for k in range(len(spots) - 12) if np.array_equal(spots[k : k + 9], read)]
        assert any(np.array_equal(spots[k + 4 : k + 13], asked) for k in starts)
    prices = 10 * weekly_log_prices()[:, 80:]
    batch = sample(far("stocks", 12), 1, (0, 1), "test")
    found = [row[k : k + 9] - row[k] for row in prices for k in range(len(row) - 20)]
    assert any(np.allclose(each, batch.inputs[:, 0, 0], atol=1e-5) for each in found)


@pytest.mark.parametrize(("slug", "kind"), ASKED)
def test_names_and_limits_follow(slug, kind):
    near, there = far(slug, 1, kind), far(slug, 3, kind)
    assert near.definition is TASKS[slug] and near.definition.continues
    task = there.definition
    assert not task.continues and "3" in task.output_labels[0] and "next" not in task.output_labels[0]
    assert task.lengths.high == TASKS[slug].lengths.high - 2
    assert there.replace(horizon=1).definition is TASKS[slug] and there.replace(seed=3).definition is task
    assert near.replace(horizon=3) == there and not near.has_data_of(there)
    longest = there.replace(horizon=TASKS[slug].farthest, seq_len=None)
    assert longest.seq_len >= 9 and len(probe(longest).inputs) == longest.seq_len


def test_simple_answers_are_those_of_that_distance():
    e = far("sunspots", 4, "many_to_one").replace(seq_len=20)
    batch, found = probe(e), RunInfo.of(e).baselines
    spots = yearly_sunspots()[209:]
    ends = [
        next(k for k in range(len(spots) - 20) if np.array_equal(spots[k : k + 20], read)) + 19
        for read in batch.inputs[..., 0].T
    ]
    near, cycle = (np.mean([(spots[t + 4] - spots[t + back]) ** 2 for t in ends]) for back in (0, 4 - CYCLE))
    assert found["4 years later like this one"] == pytest.approx(near, rel=1e-5)
    assert found["4 years later like eleven years before"] == pytest.approx(cycle, rel=1e-5)
    assert list(RunInfo.of(far("sunspots", 30, "many_to_one")).baselines) == ["30 years later like this one"]


def test_waves_far_ahead_are_guessed_as_theory_says():
    for horizon in (2, 7, 20):
        e = far("sine", horizon)
        name, *_ = baselines = e.definition.baselines(e)
        batch = sample(e, 20_000, (0, 1))
        measured = float(((batch.inputs - batch.targets) ** 2).mean())
        assert name == f"value {horizon} steps later like this one"
        assert baselines[name] == pytest.approx(measured, rel=0.03)


def test_it_trains_and_a_checkpoint_goes_on():
    e = far("sunspots", 3, cell="gru")
    first, second = Trainer(e), Trainer(e)
    first.advance()
    second.restore(first.checkpoint())
    assert first.advance() == second.advance()
    assert_same(first.frame(), second.frame())
