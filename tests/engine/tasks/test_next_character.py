"""Next character: windows of the text, held out where they should be."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.tasks import NO_SYMBOL, TASKS
from engine.tasks import next_character as text_module
from engine.tasks.next_character import encode
from tests.engine.tasks.conftest import unhidden


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
    batch = unhidden(Experiment(task="characters", rnn_type=rnn_type, seq_len=30), 50, 1, split)
    assert np.array_equal(batch.inputs[1:], batch.targets[:-1])
    assert (batch.inputs[0] == NO_SYMBOL).all() and (batch.inputs[1:] != NO_SYMBOL).all()


def test_the_held_out_tenth_is_never_trained_on():
    trained, held_out = story()
    whole = trained + held_out
    e = Experiment(task="characters", rnn_type="many_to_many", seq_len=60)
    for split, low, high in (("train", 0, len(trained)), ("test", len(trained), len(whole))):
        for window in spelled(unhidden(e, 400, 1, split).targets):
            start = whole.find(window)
            assert start >= 0 and whole.find(window, start + 1) < 0  # 60 characters stand in one place only
            assert low <= start and start + 60 <= high


def test_windows_begin_anywhere_in_their_part_up_to_its_end():
    _, held_out = story()
    batch = unhidden(Experiment(task="characters", rnn_type="many_to_many", seq_len=40), 40_000, 1, "test")
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
