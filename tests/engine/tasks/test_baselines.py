"""Baselines: what is left to guess in 20,000 dealt sequences, counted without the tasks' own code.

A baseline says the least loss of an answer that knows one thing and no more. Here that thing is looked up in every
sequence, answers are counted for each value of it, and the surprise is averaged as the model's loss is: over the
counted steps of a sequence, then over the sequences.
"""

from __future__ import annotations

import math
from collections.abc import Hashable

import pytest

from engine.experiment import Experiment
from engine.tasks import TASKS, Batch
from tests.engine.tasks.conftest import (
    all_so_far,
    answers_before,
    answers_of,
    least_loss,
    no_input,
    place,
    symbol_now,
    unhidden,
)


def judging_word(batch: Batch, t: int, column: int) -> Hashable:
    words = [TASKS["sentiment"].input_labels[token] for token in batch.inputs[: batch.lengths[column], column]]
    (word,) = set(words) & {
        *("good", "great", "lovely", "funny", "clever", "charming", "brilliant", "exciting"),
        *("bad", "awful", "boring", "dull", "slow", "silly", "clumsy", "dreadful"),
    }
    return word


@pytest.mark.parametrize(
    ("slug", "rnn_type", "seq_len", "baseline", "known"),
    [
        ("parity", "many_to_many", 20, 0, no_input),
        ("parity", "many_to_one", 20, 0, symbol_now),
        pytest.param("xor", "many_to_many", 20, 0, no_input, marks=pytest.mark.full),
        ("xor", "many_to_many", 20, 0, symbol_now),
        ("copy", "many_to_many", 16, 0, no_input),
        ("copy", "many_to_many", 7, 0, place),
        ("sentiment", "many_to_one", 12, 0, no_input),
        ("sentiment", "many_to_one", 12, 1, judging_word),
        pytest.param("sentiment", "many_to_one", 4, 1, judging_word, marks=pytest.mark.full),
        pytest.param("sentiment", "many_to_one", 20, 1, judging_word, marks=pytest.mark.full),
        ("teddy", "many_to_many", 10, 0, all_so_far),
        pytest.param("teddy", "many_to_many", 6, 0, all_so_far, marks=pytest.mark.full),
        pytest.param("teddy", "many_to_many", 16, 0, all_so_far, marks=pytest.mark.full),
        ("digits", "one_to_one", 1, 0, no_input),
        ("digits_by_row", "many_to_one", 8, 0, no_input),
        pytest.param("melody", "one_to_many", 24, 0, no_input, marks=pytest.mark.full),
        ("melody", "one_to_many", 24, 1, symbol_now),
        ("melody", "one_to_many", 4, 0, no_input),
        pytest.param("melody", "one_to_many", 4, 1, symbol_now, marks=pytest.mark.full),
        ("digit_name", "one_to_many", 6, 0, place),
        ("digit_name", "one_to_many", 6, 1, answers_before),
        ("caption", "one_to_many", 6, 0, place),
        ("caption", "one_to_many", 6, 1, answers_before),
        ("reverse", "encoder_decoder", 6, 0, no_input),
        ("reverse", "encoder_decoder", 6, 0, place),
        ("addition", "encoder_decoder", 5, 0, place),
        ("addition", "encoder_decoder", 5, 1, answers_before),
    ],
)
def test_a_baseline_is_what_is_left_to_guess(slug, rnn_type, seq_len, baseline, known):
    e = Experiment(task=slug, rnn_type=rnn_type, seq_len=seq_len, batch_size=1)
    result = least_loss(answers_of(unhidden(e, 20_000, 1, "train"), known))
    assert list(TASKS[slug].baselines(e).values())[baseline] == pytest.approx(result, rel=0.02)


@pytest.mark.parametrize(
    ("slug", "first", "second"),
    [
        ("sentiment", math.log(2), math.log(3) - 2 / 3 * math.log(2)),
        ("teddy", math.log(2), None),
        ("parity", math.log(2), None),
        ("xor", math.log(2), None),
        ("copy", math.log(8), None),
        ("reverse", math.log(8), None),
    ],
)
def test_baselines_in_closed_form(slug, first, second):
    e = Experiment(task=slug, rnn_type=TASKS[slug].rnn_types[0])
    expected = [each for each in (first, second) if each is not None]
    assert list(TASKS[slug].baselines(e).values()) == pytest.approx(expected, rel=1e-12)


def test_the_baselines_of_addition_are_those_of_all_sums():
    sums = [f"{a + b}." for a in range(100) for b in range(100)]  # the full stop ends it
    expected = [
        least_loss((known(text, t), ord(text[t]), 1 / len(text)) for text in sums for t in range(len(text)))
        for known in (lambda text, t: t, lambda text, t: text[:t])
    ]
    e = Experiment(task="addition", rnn_type="encoder_decoder")
    assert list(TASKS["addition"].baselines(e).values()) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("slug", ["melody", "digit_name", "addition"])
def test_who_knows_more_has_less_to_guess(slug):
    e = Experiment(task=slug, rnn_type=TASKS[slug].rnn_types[0])
    first, second = TASKS[slug].baselines(e).values()
    assert 0.2 < second < 0.9 * first < first < math.log(TASKS[slug].output_size)
