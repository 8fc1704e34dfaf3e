"""Bits and blanks: parity, XOR in time and copying, checked bit by bit."""

from __future__ import annotations

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.tasks import TASKS, sample


def as_text(slug: str, tokens: np.ndarray, labels: str = "input_labels") -> list[str]:
    """One string a sequence."""
    return ["".join(column) for column in np.array(getattr(TASKS[slug], labels))[tokens.T]]


@pytest.mark.parametrize("rnn_type", ["many_to_many", "many_to_one"])
@pytest.mark.parametrize("seq_len", [2, 20, 200])
def test_parity_is_that_of_all_bits_so_far(rnn_type, seq_len):
    batch = sample(Experiment(task="parity", rnn_type=rnn_type, seq_len=seq_len), 30, 1)
    for bits, answers in zip(as_text("parity", batch.inputs), batch.targets.T, strict=True):
        for t in range(seq_len):
            odd = bits[: t + 1].count("1") % 2
            assert TASKS["parity"].output_labels[answers[t]] == str(odd)
    assert batch.mask.sum() == 30 * (seq_len if rnn_type == "many_to_many" else 1) and batch.mask[-1].all()


@pytest.mark.parametrize("seq_len", [2, 20, 200])
def test_xor_compares_each_bit_with_the_one_before(seq_len):
    batch = sample(Experiment(task="xor", rnn_type="many_to_many", seq_len=seq_len), 30, 1)
    for bits, answers in zip(as_text("xor", batch.inputs), as_text("xor", batch.targets, "output_labels"), strict=True):
        assert all(answers[t] == ("1" if bits[t] != bits[t - 1] else "0") for t in range(1, seq_len))
    assert not batch.mask[0].any() and batch.mask[1:].all()  # nothing stands before the first


@pytest.mark.parametrize(("slug", "classes"), [("parity", 2), ("xor", 2), ("copy", 8)])
def test_answers_are_uniform_at_every_counted_step(slug, classes):
    """Within four standard deviations of the share."""
    batch = sample(Experiment(task=slug, rnn_type="many_to_many"), 20_000, 1)
    expected = 20_000 / classes
    for answers in batch.targets[batch.mask.all(1)]:
        counts = np.bincount(answers, minlength=classes)
        assert np.abs(counts - expected).max() < 4 * (expected * (1 - 1 / classes)) ** 0.5


@pytest.mark.parametrize(("seq_len", "pause"), [(7, ""), (8, "·"), (16, "·" * 9)])
def test_three_letters_wait_for_the_sign_and_come_back_in_order(seq_len, pause):
    batch = sample(Experiment(task="copy", rnn_type="many_to_many", seq_len=seq_len), 100, 1)
    answers = as_text("copy", batch.targets, "output_labels")
    for line, answer in zip(as_text("copy", batch.inputs), answers, strict=True):
        letters = line[:3]
        assert set(letters) <= set("ABCDEFGH")
        assert line == f"{letters}{pause}▶···"
        assert answer[-3:] == letters
    assert batch.mask[-3:].all() and not batch.mask[:-3].any()


def test_the_answer_to_copy_lies_as_far_back_as_its_lag_says():
    e = Experiment(task="copy", rnn_type="many_to_many", seq_len=30)
    batch, lag = sample(e, 50, 1), TASKS["copy"].lag(e)
    assert lag == 27
    assert all(np.array_equal(batch.targets[t], batch.inputs[t - lag]) for t in range(27, 30))
