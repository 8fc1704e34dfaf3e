"""The first digit and adding: the question is the one that is said, and the baselines are exact."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.tasks import TASKS, sample

# ---- the first digit


def test_the_first_digit_is_the_answer():
    batch = sample(Experiment(seq_len=12), 200, 1)
    assert np.array_equal(batch.targets[-1], batch.inputs[0])
    assert (batch.targets[-1] != batch.inputs[-1]).any()


def test_digits_are_uniform_and_what_follows_tells_nothing():
    """Chi-squared against equal shares; its 0.999 quantile is 27.9 for 9 degrees of freedom and 148.2 for 99."""
    inputs = sample(Experiment(seq_len=3), 20_000, 1).inputs
    for t in range(3):
        counts = np.bincount(inputs[t], minlength=10)
        assert ((counts - 2000) ** 2 / 2000).sum() < 27.9
    pairs = np.bincount(10 * inputs[0] + inputs[2], minlength=100)
    assert ((pairs - 200) ** 2 / 200).sum() < 148.2


def test_the_bar_is_that_of_guessing_among_ten():
    e = Experiment()
    assert list(TASKS["first_symbol_recall"].baselines(e).values()) == pytest.approx([-math.log(0.1)])


# ---- adding


@pytest.mark.parametrize("seq_len", [2, 7, 50])
def test_one_number_is_marked_in_each_half_and_the_answer_is_their_sum(seq_len):
    batch = sample(Experiment(task="adding", seq_len=seq_len), 3000, 1)
    numbers, marks = batch.inputs[..., 0], batch.inputs[..., 1]
    assert np.isin(marks, (0, 1)).all()
    assert (marks[: seq_len // 2].sum(0) == 1).all() and (marks[seq_len // 2 :].sum(0) == 1).all()
    assert marks.any(axis=1).all()  # every place is marked sometimes
    assert numbers.min() >= 0 and numbers.max() < 1 and numbers.mean() == pytest.approx(0.5, abs=0.02)
    assert batch.targets[-1, :, 0] == pytest.approx((numbers * marks).sum(0), rel=1e-6)


def test_baselines_of_adding_are_the_errors_of_the_best_that_can_be_said():
    e = Experiment(task="adding", seq_len=10)
    batch = sample(e, 20_000, 1)
    bar, half_known = TASKS["adding"].baselines(e).values()
    assert (bar, half_known) == pytest.approx((1 / 6, 1 / 12))
    answer = batch.targets[-1, :, 0].astype(np.float64)
    assert answer.var() == pytest.approx(bar, rel=0.02)  # the error of the best constant, the mean
    assert ((answer - 1) ** 2).mean() == pytest.approx(bar, rel=0.02)
    marked = (batch.inputs[:, :, 0] * batch.inputs[:, :, 1]).astype(np.float64)
    for known in (marked[:5].sum(0), marked[5:].sum(0)):
        assert ((answer - (known + 0.5)) ** 2).mean() == pytest.approx(half_known, rel=0.02)
        slope, offset = np.polyfit(known, answer, 1)
        assert (slope, offset) == pytest.approx((1, 0.5), abs=0.02)  # no line does better


@pytest.mark.parametrize(("off", "metric"), [(0.039, 1.0), (-0.039, 1.0), (0.041, 0.0), (-0.041, 0.0)])
def test_an_answer_within_a_twenty_fifth_is_right(off, metric):
    batch = sample(Experiment(task="adding"), 16, 1)
    assert TASKS["adding"].metric.measure(batch, batch.targets + off) == metric
