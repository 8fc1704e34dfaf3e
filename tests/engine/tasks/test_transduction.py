"""Reading one sequence and saying another: letters backwards, letters in order, and sums."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import product

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.tasks import END, TASKS, Batch, sample
from tests.engine.tasks.conftest import answers_of, dealt, least_loss, place


def of(slug: str, count: int, split: str = "train", **settings: int) -> Batch:
    return sample(Experiment(task=slug, rnn_type="encoder_decoder", **settings), count, 1, split)


@pytest.mark.parametrize("seq_len", [2, 3, 6, 20])
@pytest.mark.parametrize("split", ["train", "test"])
def test_the_answer_is_the_source_backwards(seq_len, split):
    pairs = dealt("reverse", of("reverse", 2000, split, seq_len=seq_len))
    assert all(answer == source[::-1] for source, answer in pairs)
    assert {len(source) for source, _ in pairs} == set(range(min(3, seq_len), seq_len + 1))


@pytest.mark.parametrize("seq_len", [2, 3, 6, 20])
@pytest.mark.parametrize("split", ["train", "test"])
def test_the_answer_is_the_source_in_alphabetical_order_and_an_end(seq_len, split):
    pairs = dealt("sort", of("sort", 2000, split, seq_len=seq_len))
    assert all(answer == "".join(sorted(source)) + END for source, answer in pairs)
    assert {len(source) for source, _ in pairs} == set(range(min(3, seq_len), seq_len + 1))


@pytest.mark.parametrize("seq_len", [2, 3, 4])
def test_the_bar_of_sorting_is_that_of_all_sources(seq_len):
    sources = {length: list(product("ABCDEFGH", repeat=length)) for length in range(min(3, seq_len), seq_len + 1)}
    answers = [
        (t, symbol, 1 / len(sources) / len(texts) / (length + 1))
        for length, texts in sources.items()
        for text in texts
        for t, symbol in enumerate([*sorted(text), END])
    ]
    e = Experiment(task="sort", rnn_type="encoder_decoder", seq_len=seq_len)
    assert list(TASKS["sort"].baselines(e).values()) == pytest.approx([least_loss(answers)], rel=1e-9)


def test_the_bar_of_sorting_longer_sources_is_what_is_left_to_guess():
    e = Experiment(task="sort", rnn_type="encoder_decoder", seq_len=20)
    result = least_loss(answers_of(sample(e, 20_000, 1), place))
    assert list(TASKS["sort"].baselines(e).values()) == pytest.approx([result], rel=0.01)


@pytest.mark.parametrize("slug", ["reverse", "sort"])
def test_lengths_and_letters_are_uniform(slug):
    pairs = dealt(slug, of(slug, 20_000))
    lengths = Counter(len(source) for source, _ in pairs)
    assert all(abs(lengths[length] - 5000) < 5 * 5000**0.5 for length in (3, 4, 5, 6))
    letters = Counter("".join(source for source, _ in pairs))
    expected = letters.total() / 8
    assert set(letters) == set("ABCDEFGH")
    assert all(abs(count - expected) < 5 * expected**0.5 for count in letters.values())


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_answer_is_the_sum_and_an_end(split):
    for source, answer in dealt("addition", of("addition", 3000, split)):
        first, second = source.split("+")
        assert str(int(first)) == first and str(int(second)) == second  # no zero in front
        assert answer == f"{int(first) + int(second)}{END}"


@cache
def questions(split: str) -> frozenset[str]:
    """All sums of a split: dealt so often that the chance to miss one is below 1 in a million."""
    inputs = np.unique(of("addition", 200_000, split).inputs, axis=1)
    return frozenset("".join((*TASKS["addition"].input_labels, "")[token] for token in column) for column in inputs.T)


def test_a_fifth_of_all_sums_is_held_out():
    assert len(questions("test")) == 2000 and len(questions("train")) == 8000
    assert questions("train") | questions("test") == {f"{a}+{b}" for a in range(100) for b in range(100)}


def test_the_split_is_fixed_for_ever():
    """These five sums are held out; another NumPy must not shuffle them back in."""
    assert {"93+94", "8+98", "23+98", "59+6", "23+43"} <= questions("test")


def test_one_wrong_digit_makes_a_wrong_sum():
    batch = of("addition", 8)
    answers = np.eye(11)[batch.targets]
    answers[0, :2] = np.roll(answers[0, :2], 1, axis=-1)
    answers[:, 2:][~batch.mask[:, 2:]] = np.eye(11)[5]  # behind the end nobody listens
    assert TASKS["addition"].metric.measure(batch, answers) == 0.75


@pytest.mark.parametrize(
    ("slug", "seq_len", "steps"), [("reverse", 6, 6), ("reverse", 20, 20), ("sort", 6, 7), ("addition", 5, 4)]
)
def test_the_source_comes_before_the_answer_on_the_time_axis(slug, seq_len, steps):
    e = Experiment(task=slug, rnn_type="encoder_decoder", seq_len=seq_len)
    batch = of(slug, 9, seq_len=seq_len)
    assert (batch.source_steps, e.time_steps) == (seq_len, seq_len + steps)
    assert not batch.counted[:seq_len].any() and np.array_equal(batch.counted[seq_len:], batch.mask)
    assert (batch.valid.sum(0) == batch.lengths + batch.mask.sum(0)).all()
