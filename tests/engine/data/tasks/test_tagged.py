"""The accuracy of each tag, counted by hand."""

from __future__ import annotations

import numpy as np

from engine.data.content import TaggedContent
from engine.data.tasks.tagged import tag_accuracies
from engine.tasks import Batch
from engine.tasks.base import accuracy

CLASSES = ("NOUN", "VERB", "X", "ADJ")


def test_each_tag_has_the_share_of_its_words_that_got_it():
    tags = np.array([[0, 1], [1, 3], [0, 0], [0, 2]])  # (T, batch); the second sentence has two words
    answers = np.array([[0, 1], [0, 0], [1, 0], [0, 2]])
    mask = np.array([[True, True], [True, True], [True, False], [True, False]])
    batch = Batch(np.zeros((4, 2), np.int64), tags, mask, np.array([4, 2]))
    nothing = (np.zeros(1, np.int32),)
    content = TaggedContent(
        nothing, nothing, CLASSES, np.ones(1, bool), np.ones(1, np.int64), ("a",), nothing,
    )  # fmt: skip
    found = tag_accuracies(content, batch, np.eye(4)[answers])
    # NOUN: three words, two right. VERB: two words, one right. ADJ: one word, taken for NOUN. X: padding alone.
    assert found == {"NOUN": 2 / 3, "VERB": 1 / 2, "ADJ": 0.0}
    counts = {"NOUN": 3, "VERB": 2, "ADJ": 1}
    whole = sum(found[tag] * count for tag, count in counts.items()) / 6
    assert np.isclose(whole, accuracy(batch, np.eye(4)[answers]))
