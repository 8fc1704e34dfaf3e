"""The first digit, adding, multiplying, temporal order: the question is the one that is said, baselines are exact."""

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


@pytest.mark.parametrize("slug", ["adding", "multiplication"])
@pytest.mark.parametrize(("off", "metric"), [(0.039, 1.0), (-0.039, 1.0), (0.041, 0.0), (-0.041, 0.0)])
def test_an_answer_within_a_twenty_fifth_is_right(slug, off, metric):
    batch = sample(Experiment(task=slug), 16, 1)
    assert TASKS[slug].metric.measure(batch, batch.targets + off) == metric


# ---- multiplying


@pytest.mark.parametrize("seq_len", [2, 7, 50])
def test_the_answer_is_the_product_of_the_two_marked_numbers(seq_len):
    batch = sample(Experiment(task="multiplication", seq_len=seq_len), 3000, 1)
    numbers, marks = batch.inputs[..., 0], batch.inputs[..., 1]
    assert (marks[: seq_len // 2].sum(0) == 1).all() and (marks[seq_len // 2 :].sum(0) == 1).all()
    assert batch.targets[-1, :, 0] == pytest.approx(np.where(marks == 1, numbers, 1).prod(0), rel=1e-6)


def test_baselines_of_multiplying_are_the_errors_of_the_best_that_can_be_said():
    e = Experiment(task="multiplication", seq_len=10)
    batch = sample(e, 50_000, 1)
    bar, half_known = TASKS["multiplication"].baselines(e).values()
    assert bar == pytest.approx(7 / 144, rel=1e-12) == pytest.approx(0.0486, abs=5e-5)
    answer = batch.targets[-1, :, 0].astype(np.float64)
    assert answer.mean() == pytest.approx(1 / 4, abs=0.005) and answer.var() == pytest.approx(bar, rel=0.02)
    marked = (batch.inputs[:, :, 0] * batch.inputs[:, :, 1]).astype(np.float64)
    for known in (marked[:5].sum(0), marked[5:].sum(0)):
        assert ((answer - known / 2) ** 2).mean() == pytest.approx(half_known, rel=0.02)
        bins = np.digitize(known, np.linspace(0, 1, 51)[1:-1])  # whatever is said of a number, none does better
        left = sum(answer[bins == each].var() * (bins == each).mean() for each in range(50))
        assert left == pytest.approx(half_known, rel=0.03)


# ---- temporal order


@pytest.mark.parametrize("seq_len", [10, 15, 30, 100])
def test_two_symbols_matter_one_early_and_one_half_way(seq_len):
    batch = sample(Experiment(task="temporal_order", seq_len=seq_len), 4000, 1)
    labels = np.array(TASKS["temporal_order"].input_labels)[batch.inputs.T]
    answers = np.array(TASKS["temporal_order"].output_labels)[batch.targets[-1]]
    early, late = set(), set()
    for symbols, answer in zip(labels, answers, strict=True):
        first, second = (t for t, symbol in enumerate(symbols) if symbol in "XY")
        assert symbols[first] + symbols[second] == answer
        early.add(first)
        late.add(second)
    assert early == {t for t in range(seq_len) if seq_len // 10 <= t < int(seq_len * 0.2)}
    assert late == {t for t in range(seq_len) if seq_len // 2 <= t < int(seq_len * 0.6)}
    assert TASKS["temporal_order"].lag(Experiment(task="temporal_order", seq_len=seq_len)) == seq_len - 1 - min(early)


def test_orders_and_distractors_are_uniform():
    batch = sample(Experiment(task="temporal_order"), 20_000, 1)
    counts = np.bincount(batch.targets[-1], minlength=4)
    assert np.abs(counts - 5000).max() < 4 * (5000 * 0.75) ** 0.5
    assert set(TASKS["temporal_order"].output_labels) == {"XX", "XY", "YX", "YY"}
    noise = np.bincount(batch.inputs[20], minlength=6)  # behind both
    assert noise[:2].tolist() == [0, 0] and np.abs(noise[2:] - 5000).max() < 4 * (5000 * 0.75) ** 0.5


def test_one_symbol_of_the_two_leaves_half_of_the_classes():
    e = Experiment(task="temporal_order")
    batch = sample(e, 20_000, 1)
    guessing, half_known = TASKS["temporal_order"].baselines(e).values()
    assert (guessing, half_known) == pytest.approx((1.3863, 0.6931), abs=5e-5)
    for half in (batch.inputs[:10], batch.inputs[10:]):
        known = (half == 1).any(0)  # a Y in this half
        shares = np.array([np.bincount(batch.targets[-1][known == each], minlength=4) for each in (False, True)]) / 2e4
        given = shares / shares.sum(1, keepdims=True)
        left = -sum(p * math.log(q) for p, q in zip(shares.ravel(), given.ravel(), strict=True) if p)
        assert left == pytest.approx(half_known, rel=0.01)
