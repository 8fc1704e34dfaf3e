"""The catalogue keeps its promises, and every task is the task that it says it is."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import math
import re
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import plotly
import pytest

from engine.experiment import CHOICES, Experiment
from engine.tasks import NO_SYMBOL, TASKS, Batch, probe, sample
from engine.tasks import text as text_module
from engine.tasks.series import weekly_log_prices
from engine.tasks.text import encode

CASES = [(slug, rnn_type) for slug, task in TASKS.items() for rnn_type in task.rnn_types]
EVERY_TASK = pytest.mark.parametrize("slug", list(TASKS))
EVERY_CASE = pytest.mark.parametrize(("slug", "rnn_type"), CASES, ids=[f"{slug}-{kind}" for slug, kind in CASES])

STREAMS = [
    pytest.param((5, "train"), (6, "train"), id="two seeds"),
    pytest.param((5, "train"), (5, "test"), id="two splits"),
    pytest.param(((5, 1), "train"), ((5, 2), "train"), id="two steps"),
    pytest.param(((5, 1), "train"), ((6, 1), "train"), id="two seeds of one step"),
    pytest.param(((5, 0), "train"), ((5, 0), "test"), id="two splits of one step"),
]


def same(first: Batch, second: Batch) -> bool:
    names = [each.name for each in dataclasses.fields(Batch)]
    return all(np.array_equal(getattr(first, name), getattr(second, name)) for name in names)


def perfect_answer(slug: str, batch: Batch) -> np.ndarray:
    """What a network that knows everything says; nothing where it is not asked, as in a frame."""
    if TASKS[slug].outputs == "symbols":
        said = np.eye(len(TASKS[slug].output_labels))[batch.targets]
    else:
        said = batch.targets.astype(np.float64)
    said[~batch.mask] = np.nan
    return said


# ---- every task


@EVERY_CASE
@pytest.mark.parametrize("length", ["low", "default", "high"])
@pytest.mark.parametrize("split", ["train", "test"])
def test_a_batch_has_the_shapes_and_kinds_that_it_says(slug, rnn_type, length, split):
    task = TASKS[slug]
    seq_len = getattr(task.lengths, length)
    batch = sample(Experiment(task=slug, rnn_type=rnn_type, seq_len=seq_len, batch_size=3), 7, 1, split)
    for array, kind, labels in (
        (batch.inputs, task.inputs, task.input_labels),
        (batch.targets, task.outputs, task.output_labels),
    ):
        if kind == "symbols":
            assert array.shape == (seq_len, 7) and array.dtype == np.int64
            assert array.max() < len(labels)
        else:
            assert array.shape == (seq_len, 7, len(labels)) and array.dtype == np.float32
            assert np.isfinite(array).all()
    if task.inputs == "symbols":
        assert set(batch.inputs[batch.inputs < 0].tolist()) <= {NO_SYMBOL}
    if task.outputs == "symbols":
        assert batch.targets[batch.mask].min() >= 0
    assert batch.mask.shape == (seq_len, 7) and batch.mask.dtype == np.bool_
    assert batch.lengths.shape == (7,) and batch.lengths.dtype == np.int64
    assert (batch.lengths >= 1).all() and (batch.lengths <= seq_len).all()


@EVERY_CASE
def test_every_sequence_counts_somewhere_and_never_in_its_padding(slug, rnn_type):
    batch = sample(Experiment(task=slug, rnn_type=rnn_type), 9, 2)
    padding = np.arange(len(batch.mask))[:, None] >= batch.lengths
    assert batch.mask.any(axis=0).all()
    assert not (batch.mask & padding).any()
    if rnn_type == "many_to_one":
        assert (batch.mask.sum(0) == 1).all() and batch.mask[batch.lengths - 1, np.arange(9)].all()
    else:
        assert (batch.mask.sum(0) > 1).all()


@EVERY_TASK
def test_words_and_lengths_of_the_catalogue(slug):
    task = TASKS[slug]
    assert task.slug == slug
    assert all(len(words.strip()) > 3 for words in (task.title, task.teaches, task.source, task.why_not))
    assert task.metric.name.strip()
    assert task.rnn_types and set(task.rnn_types) < set(CHOICES["rnn_type"])
    assert 1 < task.lengths.low <= task.lengths.default <= task.lengths.high <= 1000
    assert {task.inputs, task.outputs} <= {"symbols", "values"}


@EVERY_TASK
def test_labels_name_every_symbol_or_channel_once(slug):
    task = TASKS[slug]
    batch = sample(Experiment(task=slug, seq_len=task.lengths.high, batch_size=1), 512, 3)
    for kind, labels, array in (
        (task.inputs, task.input_labels, batch.inputs),
        (task.outputs, task.output_labels, batch.targets),
    ):
        assert len(set(labels)) == len(labels) and all(isinstance(label, str) and label for label in labels)
        assert len(labels) == (array.max() + 1 if kind == "symbols" else array.shape[-1])
    assert (task.input_size, task.output_size) == (len(task.input_labels), len(task.output_labels))


@EVERY_CASE
@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("seed", [5, (5, 3)], ids=str)
def test_a_batch_depends_on_the_data_settings_the_seed_and_the_split_alone(slug, rnn_type, seed, split):
    e = Experiment(task=slug, rnn_type=rnn_type)
    other = e.replace(seed=8, cell="gru", hidden_size=3, num_layers=2, batch_size=2, learning_rate=1.0, init="xavier")
    first = sample(e, 16, seed, split)
    np.random.default_rng().random(3)
    assert same(first, sample(e, 16, seed, split))
    assert same(first, sample(other, 16, seed, split))


@EVERY_CASE
@pytest.mark.parametrize(("one", "other"), STREAMS)
def test_other_seeds_and_splits_deal_other_sequences(slug, rnn_type, one, other):
    e = Experiment(task=slug, rnn_type=rnn_type)
    first, second = (sample(e, 16, seed, split) for seed, split in (one, other))
    assert not np.array_equal(first.inputs, second.inputs)
    assert not np.array_equal(first.targets, second.targets)


def test_a_held_out_batch_is_no_training_batch_of_another_step():
    e = Experiment(task="adding")
    assert not same(sample(e, 16, 5, "test"), sample(e, 16, (5, 1), "train"))


@EVERY_CASE
def test_baselines_are_positive_and_finite(slug, rnn_type):
    for length in (TASKS[slug].lengths.low, TASKS[slug].lengths.default, TASKS[slug].lengths.high):
        baselines = TASKS[slug].baselines(Experiment(task=slug, rnn_type=rnn_type, seq_len=length, batch_size=1))
        assert baselines
        assert all(name and 0 < loss < math.inf for name, loss in baselines.items())


@pytest.mark.parametrize(
    ("slug", "seq_len", "lag"),
    [
        ("first_symbol_recall", 30, 29),
        ("adding", 30, 29),
        ("characters", 30, 8),
        ("characters", 5, 4),
        ("stocks", 20, None),
    ],
)
def test_lag_lies_within_the_sequence(slug, seq_len, lag):
    assert TASKS[slug].lag(Experiment(task=slug, seq_len=seq_len)) == lag


@EVERY_CASE
@pytest.mark.parametrize("split", ["train", "test"])
def test_a_perfect_answer_has_the_best_metric(slug, rnn_type, split):
    """1 is every answer right, 0 no error."""
    batch, metric = sample(Experiment(task=slug, rnn_type=rnn_type), 16, 4, split), TASKS[slug].metric
    assert metric.measure(batch, perfect_answer(slug, batch)) == (1 if metric.higher_is_better else 0)


@EVERY_CASE
def test_a_blind_answer_stays_between_the_metrics_bounds(slug, rnn_type):
    """Always the same: class 1, or the value 0. What that is worth is counted by hand."""
    batch = sample(Experiment(task=slug, rnn_type=rnn_type), 64, 4, "test")
    said = np.zeros((*batch.mask.shape, TASKS[slug].output_size))
    if TASKS[slug].outputs == "symbols":
        said[..., 1] = 1.0
    metric = TASKS[slug].metric.measure(batch, said)
    asked = batch.targets[batch.mask].ravel().tolist()
    if slug == "stocks":
        before = batch.inputs[batch.mask].ravel().tolist()
        errors = [(now - then) ** 2 for now, then in zip(asked, before, strict=True)]
        assert metric == pytest.approx(sum(each**2 for each in asked) / sum(errors), rel=1e-5) and metric > 1
    else:
        right = [abs(each) < 0.04 if slug == "adding" else each == 1 for each in asked]
        assert metric == pytest.approx(sum(right) / len(right)) and 0 <= metric < 0.5


@pytest.mark.parametrize(("slug", "rnn_type"), [case for case in CASES if case[0] != "stocks"])
def test_the_metric_is_the_share_of_right_answers(slug, rnn_type):
    batch = sample(Experiment(task=slug, rnn_type=rnn_type), 16, 4)
    said = perfect_answer(slug, batch)
    said[:, :4] = np.roll(said[:, :4], 1, axis=-1) if TASKS[slug].outputs == "symbols" else said[:, :4] + 0.05
    assert TASKS[slug].metric.measure(batch, said) == 0.75


@pytest.mark.parametrize("slug", [slug for slug, task in TASKS.items() if task.causal])
def test_the_answer_of_a_causal_task_is_its_next_input(slug):
    batch = sample(Experiment(task=slug, rnn_type="many_to_many"), 16, 4)
    assert np.array_equal(batch.inputs[1:], batch.targets[:-1])
    assert not np.array_equal(batch.inputs[1:], batch.targets[1:])


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


# ---- characters


@cache
def story() -> tuple[str, str]:
    """The text as it is dealt, (trained, held out), by other means than the task's own."""
    path = Path(text_module.__file__).parent / "data" / "alice.txt"
    whole = re.sub(r"\s+", " ", path.read_text(encoding="utf-8")).strip().lower()
    return whole[: len(whole) * 9 // 10], whole[len(whole) * 9 // 10 :]


def spelled(tokens: np.ndarray) -> list[str]:
    """(T, batch) tokens to batch strings."""
    letters = np.array(TASKS["characters"].input_labels)
    return ["".join(column) for column in letters[tokens.T]]


@pytest.mark.parametrize("rnn_type", TASKS["characters"].rnn_types)
@pytest.mark.parametrize("split", ["train", "test"])
def test_the_input_is_the_character_before_the_answer(rnn_type, split):
    batch = sample(Experiment(task="characters", rnn_type=rnn_type, seq_len=30), 50, 1, split)
    assert np.array_equal(batch.inputs[1:], batch.targets[:-1])
    assert (batch.inputs[0] == NO_SYMBOL).all() and (batch.inputs[1:] != NO_SYMBOL).all()


def test_the_held_out_tenth_is_never_trained_on():
    trained, held_out = story()
    whole = trained + held_out
    e = Experiment(task="characters", rnn_type="many_to_many", seq_len=60)
    for split, low, high in (("train", 0, len(trained)), ("test", len(trained), len(whole))):
        for window in spelled(sample(e, 400, 1, split).targets):
            start = whole.find(window)
            assert start >= 0 and whole.find(window, start + 1) < 0  # 60 characters stand in one place only
            assert low <= start and start + 60 <= high


def test_windows_begin_anywhere_in_their_part_up_to_its_end():
    _, held_out = story()
    batch = sample(Experiment(task="characters", rnn_type="many_to_many", seq_len=40), 40_000, 1, "test")
    dealt = set(spelled(batch.targets))
    assert dealt == {held_out[start : start + 40] for start in range(len(held_out) - 39)}


def test_the_alphabet_is_that_of_the_trained_part_after_the_unknown():
    assert TASKS["characters"].input_labels == ("\ufffd", *sorted(set(story()[0])))


def test_an_unknown_character_is_token_0():
    tokens = encode("a☃bÉ")
    assert tokens.dtype == np.int64
    assert [TASKS["characters"].input_labels[token] for token in tokens] == ["a", "\ufffd", "b", "\ufffd"]
    assert tokens[1] == 0
    trained, _ = story()
    assert spelled(encode(trained)[:, None]) == [trained]


def test_the_bar_is_the_cross_entropy_of_letter_frequencies():
    trained, held_out = story()
    alphabet, counts = TASKS["characters"].output_labels, Counter(trained)
    surprise = [-math.log((counts[each] + 1) / (len(trained) + len(alphabet))) for each in held_out]
    bar, guessing = TASKS["characters"].baselines(Experiment(task="characters")).values()
    assert bar == pytest.approx(sum(surprise) / len(surprise), rel=1e-12)
    assert guessing == pytest.approx(math.log(len(set(trained)) + 1), rel=1e-12)
    assert bar < guessing


# ---- stocks


@cache
def prices() -> dict[str, list[float]]:
    """The file inside the installed plotly package, read without pandas: {company: 105 prices}."""
    path = Path(plotly.__file__).parent / "package_data" / "datasets" / "stocks.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0] if name != "date"}


def changes(company: str, start: int, weeks: int) -> list[float]:
    """A window: tenths of log-price since its first week."""
    price = prices()[company][start : start + weeks]
    return [10 * math.log(each / price[0]) for each in price]


def test_prices_are_those_of_the_plotly_package():
    assert list(prices()) == ["GOOG", "AAPL", "AMZN", "FB", "NFLX", "MSFT"]
    expected = [[math.log(price) for price in column] for column in prices().values()]
    found = weekly_log_prices()
    assert found.shape == (6, 105) and found.dtype == np.float32
    assert found == pytest.approx(np.array(expected), rel=1e-5, abs=1e-6)
    assert not found[:, 0].any()


@pytest.mark.parametrize("seq_len", [2, 12, 24])
@pytest.mark.parametrize(("split", "first", "end"), [("train", 0, 80), ("test", 80, 105)], ids=["train", "test"])
def test_windows_stay_in_their_weeks_and_reach_all_of_them(seq_len, split, first, end):
    batch = sample(Experiment(task="stocks", rnn_type="many_to_many", seq_len=seq_len), 5000, 1, split)
    dealt = np.concatenate([batch.inputs[:1], batch.targets])[:, :, 0].T
    assert not dealt[:, 0].any() and np.array_equal(batch.inputs[1:], batch.targets[:-1])
    starts = range(105 - seq_len)
    places = [(company, start) for company in prices() for start in starts]
    known = np.array([changes(company, start, seq_len + 1) for company, start in places])
    wanted = {place for place in places if first <= place[1] and place[1] + seq_len + 1 <= end}
    windows = np.unique(dealt, axis=0)
    distance = np.abs(windows[:, None] - known).max(-1)
    found = {places[index] for index in distance.argmin(1)}
    assert distance.min(1).max() < 1e-4
    assert np.sort(distance, axis=1)[:, 1].min() > 1e-4  # no window could be taken for another
    assert found == wanted


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("seq_len", [2, 12, 24])
@pytest.mark.parametrize("rnn_type", TASKS["stocks"].rnn_types)
def test_the_bar_is_the_error_of_like_this_week_on_the_probe(rnn_type, seq_len, seed):
    """Which windows the probe holds is found in the file; what 'like this week' costs on them is reckoned there."""
    e = Experiment(task="stocks", rnn_type=rnn_type, seq_len=seq_len, seed=seed)
    places = [(company, start) for company in prices() for start in range(80, 105 - seq_len)]
    known = np.array([changes(company, start, seq_len + 1)[1:] for company, start in places])
    errors = []
    for window in probe(e).targets[:, :, 0].T:
        company, start = places[np.abs(known - window).max(-1).argmin()]
        price = prices()[company]
        asked = range(start, start + seq_len) if rnn_type == "many_to_many" else [start + seq_len - 1]
        errors += [(10 * math.log(price[week + 1] / price[week])) ** 2 for week in asked]
    assert len(errors) == (16 * seq_len if rnn_type == "many_to_many" else 16)
    assert list(TASKS["stocks"].baselines(e).values()) == pytest.approx([sum(errors) / len(errors)], rel=1e-4)


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("rnn_type", TASKS["stocks"].rnn_types)
def test_like_this_week_has_metric_1_and_half_its_errors_a_quarter(rnn_type, split):
    batch, metric = sample(Experiment(task="stocks", rnn_type=rnn_type), 32, 1, split), TASKS["stocks"].metric
    assert not metric.higher_is_better
    assert metric.measure(batch, batch.inputs) == 1
    assert metric.measure(batch, (batch.inputs + batch.targets) / 2) == pytest.approx(0.25, abs=1e-4)
    assert metric.measure(batch, 2 * batch.inputs - batch.targets) == pytest.approx(4, abs=1e-4)


def test_the_probe_is_a_held_out_batch_of_the_seed_alone():
    e = Experiment(task="characters", seed=3)
    assert same(probe(e), probe(e.replace(cell="gru", batch_size=2, hidden_size=5)))
    assert same(probe(e), sample(e, 16, (3, 0), "test"))
    assert not same(probe(e), probe(e.replace(seed=4)))
