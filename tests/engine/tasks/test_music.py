"""The tunes: eight of them, each known by its first note and by none of the later ones alone."""

from __future__ import annotations

import re

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.tasks import TASKS, sample


def tunes(seq_len: int, split: str = "train", count: int = 400) -> set[tuple[str, ...]]:
    """Every tune that is dealt, from its first note to the last answer."""
    batch = sample(Experiment(task="melody", rnn_type="one_to_many", seq_len=seq_len), count, 1, split)
    notes = np.array(TASKS["melody"].output_labels)
    return {tuple(column) for column in notes[np.concatenate([batch.inputs[:1], batch.targets])].T}


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("seq_len", [4, 24])
def test_the_first_note_says_which_of_eight_tunes_it_is(seq_len, split):
    dealt = tunes(seq_len, split)
    assert len(dealt) == len({tune[0] for tune in dealt}) == 8
    assert all(len(tune) == seq_len + 1 for tune in dealt)
    assert {tune[: seq_len + 1] for tune in tunes(24)} == dealt


def test_the_eight_are_dealt_alike():
    first = sample(Experiment(task="melody", rnn_type="one_to_many"), 20_000, 1).inputs[0]
    assert np.abs(np.bincount(first, minlength=8) - 2500).max() < 5 * 2500**0.5


def test_a_note_or_two_do_not_say_what_follows():
    """So the network has to remember the tune, not the last notes."""
    for length in (1, 2, 3):
        following: dict[tuple[str, ...], set[str]] = {}
        for tune in tunes(24):
            for t in range(length, 25):
                following.setdefault(tune[t - length : t], set()).add(tune[t])
        assert sum(len(notes) > 1 for notes in following.values()) >= 8, length


def test_notes_are_white_keys_in_rising_order():
    keys = "CDEFGAB"
    labels = TASKS["melody"].output_labels
    assert all(re.fullmatch("[A-G][456]", label) for label in labels)
    heights = [7 * int(label[1]) + keys.index(label[0]) for label in labels]
    assert heights == list(range(heights[0], heights[0] + len(labels))) and labels[0] == "C4"
    assert TASKS["melody"].input_labels == labels and TASKS["melody"].audible


def test_tunes_come_home():
    assert all(tune[-1][0] == "C" for tune in tunes(24))
