"""Which networks of a sweep count as solved, and the interval of a success rate."""

from __future__ import annotations

import math
from unittest.mock import ANY

import pytest

from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.frame.held_out import counts_as_solved
from engine.sweeps.row import Measurement, Row, varied
from engine.sweeps.success import Outcome, Success, is_solved, outcomes, success_by, wilson

BASE = Experiment(task="first_symbol_recall", cell="rnn", seq_len=5)
GOOD, BAD = (0.1, 0.95), (2.3, 0.1)  # loss and metric; guessing has 2.30, and a tenth of it is the bar


@pytest.mark.parametrize(
    ("solved", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_wilsons(solved, of, low, high):
    """Newcombe (1998), Statistics in Medicine 17, 857, table I, method 3."""
    assert wilson(solved, of) == pytest.approx((low, high), abs=5e-5)
    assert wilson(of - solved, of) == pytest.approx((1 - high, 1 - low), abs=5e-5)


@pytest.mark.parametrize("of", [1, 2, 3, 16, 1000])
def test_the_interval_lies_between_0_and_1_and_holds_the_rate(of):
    for solved in range(of + 1):
        low, high = wilson(solved, of)
        assert 0 <= low <= solved / of <= high <= 1 and high - low < 1


def test_of_no_network_nothing_is_known():
    assert wilson(0, 0) == (0, 1) and math.isnan(Success(0, 0).rate)


@pytest.mark.parametrize(
    ("task", "more"), [("adding", {}), ("sunspots", {}), ("parity", {"rnn_type": "many_to_many", "reduction": "sum"})]
)
def test_what_counts_as_solved_is_what_the_held_out_record_says(task, more):
    """Also where the bar depends on the data, and where the network is larger than the one the bar is computed with."""
    e = Experiment(task=task, cell="gru", hidden_size=8, seed=3, **more)
    info = RunInfo.of(e)
    bar, metric = info.held_out_solved_loss, info.metric.solved
    for loss in (0.999 * bar, 1.001 * bar):
        for reached in (metric - 0.01, metric + 0.01):
            assert is_solved(e, loss, reached) == counts_as_solved(info, loss, reached, before=False)
    assert is_solved(e, 0.999 * bar, metric) and not is_solved(e, 1.001 * bar, metric)


def rows(experiments, *measured):
    """Rows of (number, step, (loss, metric))."""
    every = varied(experiments)
    return [Row.of(every[n], Measurement(n, step, *found, 1 + step, False, 0.0)) for n, step, found in measured]


def test_a_network_has_solved_its_task_at_the_first_step_that_counts_even_if_it_forgets_again():
    experiments = [BASE.replace(seed=seed) for seed in range(4)]
    made = rows(experiments, (1, 20, BAD), (1, 10, GOOD), (0, 0, BAD), (2, 10, BAD), (2, 20, GOOD), (1, 0, BAD))
    assert outcomes(experiments, made) == [
        Outcome(experiments[0], None, 1),
        Outcome(experiments[1], 10, 1),
        Outcome(experiments[2], 20, ANY),
    ]


def test_the_ratio_is_that_before_training():
    started, not_started = outcomes([BASE] * 2, rows([BASE] * 2, (0, 10, GOOD), (0, 0, BAD), (1, 10, GOOD)))
    assert started.ratio == 1 and math.isnan(not_started.ratio)


def test_a_loss_that_is_not_a_number_does_not_count():
    (outcome,) = outcomes([BASE], rows([BASE], (0, 10, (math.nan, math.nan))))
    assert outcome.solved_at is None


def test_success_is_counted_at_each_combination_over_all_else():
    networks = [
        Outcome(BASE.replace(init_gain=gain, seed=seed), 10 if gain + seed > 1.5 else None)
        for gain in (0.5, 1.0)
        for seed in range(3)
    ]
    assert success_by(("init_gain",), networks) == {(0.5,): Success(1, 3), (1.0,): Success(2, 3)}
    assert success_by((), networks) == {(): Success(3, 6)}
    assert success_by(("cell", "init_gain"), networks)["rnn", 0.5].interval == wilson(1, 3)
    assert success_by(("init_gain",), []) == {}
