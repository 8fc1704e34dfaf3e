"""Trials of cures: the grid, one trial run, the table, and what it adds up to."""

from __future__ import annotations

import dataclasses
import math

import pytest

from engine.cure_trials import table
from engine.cure_trials.grid import Trial, trials
from engine.cure_trials.measure import measure
from engine.cure_trials.table import Outcome, Row, aims
from engine.diagnosis import GOOD_KINDS
from engine.experiment import Experiment

HARMLESS, CURED = Outcome("healthy", 0.5, ""), Outcome("solved", 0.01, "")
STUCK = Outcome("plateau", 1.0, "optimizer=adam learning_rate=0.003")


def row(*outcomes: Outcome, settings: str = "task=adding", held_back: bool = False) -> Row:
    return Row(settings, held_back, outcomes)


def test_every_trial_is_another_and_half_of_the_triples_are_held_back():
    drawn = trials()
    assert len({table.settings_of(trial.experiment) for trial in drawn}) == len(drawn) > 250
    assert trials() == drawn, "drawn by a seed"
    triples = {(t.experiment.task, t.experiment.cell, t.experiment.learning_rate): t.held_back for t in drawn}
    assert sum(triples.values()) == len(triples) // 2
    assert all(triples[t.experiment.task, t.experiment.cell, t.experiment.learning_rate] == t.held_back for t in drawn)


def test_a_trial_is_cured_until_it_is_well():
    """SGD that does not move: the cure is another optimiser, and its run is measured from the start."""
    e = Experiment(task="xor", rnn_type="many_to_many", cell="lstm", hidden_size=16, seq_len=8, batch_size=16,
                   optimizer="sgd", learning_rate=1e-4)  # fmt: skip
    measured = measure(Trial(e, held_back=True), updates=300)
    first, second = measured.outcomes
    assert measured.held_back and first.kind == "plateau" and first.share == pytest.approx(1, abs=0.1)
    assert "optimizer=adam" in first.cure and second.share < 0.8 and second.kind in GOOD_KINDS


def test_a_run_that_breaks_is_measured_where_it_broke():
    e = Experiment(task="adding", cell="rnn", nonlinearity="relu", hidden_size=8, seq_len=10, batch_size=8,
                   optimizer="sgd", learning_rate=10.0, clip="none")  # fmt: skip
    outcomes = measure(Trial(e, held_back=False), updates=20).outcomes
    assert outcomes[0].kind in ("diverged", "not_finite") and outcomes[0].share > 1.3
    assert outcomes[0].cure.startswith("learning_rate=")


def test_a_table_is_read_as_it_was_written(tmp_path):
    rows = [row(STUCK, CURED), row(Outcome("not_finite", math.inf, ""), held_back=True)]
    table.write(tmp_path / "cures.csv", rows)
    assert table.read(tmp_path / "cures.csv") == rows and table.read(tmp_path / "none.csv") == []


def test_what_is_well_and_what_needs_a_cure():
    assert STUCK.is_bad and not STUCK.is_well
    assert not HARMLESS.is_bad and HARMLESS.is_well
    assert not Outcome("vanishing", 0.5, "").is_bad, "it makes progress"
    assert Outcome("overfitting", 1.1, "").is_bad and not Outcome("healthy", 1.1, "").is_well


@pytest.mark.parametrize(
    ("rows", "aim"),
    [
        ([row(Outcome("healthy", 1.4, ""))], 0),
        ([row(dataclasses.replace(STUCK, cure=""))], 1),
        ([row(STUCK, Outcome("healthy", 0.9, ""))], 2),
        ([row(STUCK, Outcome("vanishing", 0.85, ""))], 3),
        ([row(STUCK, Outcome("healthy", 1.2, ""))], 4),
    ],
    ids=["above the line and healthy", "no cure", "a cure that does not help", "a chain that ends badly", "worse"],
)
def test_each_aim_can_be_missed(rows, aim):
    assert not aims(rows)[aim].holds


def test_the_aims_are_reached_by_cures_that_cure():
    assert all(aim.holds for aim in aims([row(STUCK, CURED), row(HARMLESS)]))


def test_the_committed_table_is_of_this_grid_and_reaches_its_aims():
    """In both halves: `make cures` measures them."""
    rows = table.read(table.TABLE)
    assert [each.settings for each in rows] == [table.settings_of(trial.experiment) for trial in trials()]
    assert sum(each.outcomes[0].is_bad for each in rows) >= 150
    for held_back in (False, True):
        missed = [aim for aim in aims([each for each in rows if each.held_back == held_back]) if not aim.holds]
        assert not missed
