"""Agreement and 'themselves': the rule applied anew, and counted for anything else that gives the answer away."""

from __future__ import annotations

import hashlib
import math
from collections import Counter

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.tasks import TASKS, sample
from tests.cases import for_each, grid
from tests.engine.tasks.conftest import least_loss, unhidden

LENGTHS = [5, 6, 7, 8, 12, 15, 33, 60]
THEMSELVES_DIGESTS = {
    5: "b8d15e8654f2fab5", 6: "fee8ed072a655b34", 7: "e58f92f4bada338f", 8: "3eac835aa093b7a2", 12: "8983b96ab3e4f78a",
    33: "5392d4c5c599e7bb", 34: "9cc6cc5a799f683b", 60: "d1a12ee7f11a5361",
}  # fmt: skip
"""By length, what 'themselves' dealt before it had sentences of 4 words: three seeds, both splits."""
VOCABULARY = "86fc141afd240e6a"
ONE = {"cat", "dog", "horse", "bird", "child", "teacher", "house", "tree", "car", "river"}
MANY = {"cats", "dogs", "horses", "birds", "children", "teachers", "houses", "trees", "cars", "rivers"}
SELVES = {"he": "himself", "she": "herself", "they": "themselves"}


def dealt(slug: str, count: int, seq_len: int, split: str = "train") -> list[tuple[list[str], str]]:
    """(the words of a sentence, the answer)."""
    task = TASKS[slug]
    batch = unhidden(Experiment(task=slug, rnn_type="many_to_one", seq_len=seq_len), count, 1, split)
    assert (batch.lengths == seq_len).all() and batch.mask[-1].all() and batch.mask.sum() == count
    sentences = [[task.input_labels[token] for token in column] for column in batch.inputs.T]
    return [(words, task.output_labels[at]) for words, at in zip(sentences, batch.targets[-1], strict=True)]


def assert_tells_nothing(pairs: list[tuple[object, str]], answers: int) -> None:
    """Within five standard deviations, every answer is as common as any other whatever is known."""
    groups: dict[object, Counter] = {}
    for known, answer in pairs:
        groups.setdefault(known, Counter())[answer] += 1
    for known, counts in groups.items():
        share, total = 1 / answers, counts.total()
        for answer in {answer for _, answer in pairs}:
            assert abs(counts[answer] - total * share) <= 5 * (total * share * (1 - share)) ** 0.5 + 1, known


@for_each({"split": ["train", "test"], "seq_len": LENGTHS})
def test_the_first_noun_decides_the_verb(seq_len, split):
    for words, answer in dealt("agreement", 500, seq_len, split):
        first = next(word for word in words if word in ONE | MANY)
        assert answer == ("were" if first in MANY else "was")
        assert words.index(first) == 1 and words[0] == "the"


@pytest.mark.parametrize("seq_len", grid([5, 15, 60], kept=lambda at: at < 2))
def test_no_other_noun_tells_the_verb(seq_len):
    """Neither the last noun, nor how many of the others are plural, nor their number."""
    sentences = dealt("agreement", 20_000, seq_len)
    last, plurals = [], []
    for words, answer in sentences:
        others = [word for word in words[2:] if word in ONE | MANY]
        last.append(((others or ["none"])[-1], answer))
        plurals.append(((len(others), sum(word in MANY for word in others)), answer))
    assert_tells_nothing([("", answer) for _, answer in last], 2)
    assert_tells_nothing(last, 2)
    assert_tells_nothing(plurals, 2)
    (bar,) = TASKS["agreement"].baselines(Experiment(task="agreement", seq_len=seq_len)).values()
    assert bar == pytest.approx(math.log(2), rel=1e-12)
    by_last = [(word, int(answer == "were"), 1.0) for word, answer in last]
    assert least_loss(by_last) == pytest.approx(bar, abs=0.002)


def test_all_nouns_come_first_and_in_between():
    sentences = dealt("agreement", 5000, 15)
    assert {words[1] for words, _ in sentences} == ONE | MANY
    assert {word for words, _ in sentences for word in words[2:]} >= ONE | MANY
    between = [sum(word in ONE | MANY for word in words[2:]) for words, _ in sentences]
    assert 2 < np.mean(between) < 4


@for_each({"split": ["train", "test"], "seq_len": [4, *LENGTHS]})
def test_the_first_pronoun_decides_the_last_word(seq_len, split):
    for words, answer in dealt("themselves", 500, seq_len, split):
        assert answer == SELVES[words[0]] and words[-1] == "for"


@for_each({"seq_len": THEMSELVES_DIGESTS})
def test_sentences_of_five_words_and_more_are_what_they_always_were(seq_len):
    digest = hashlib.sha256()
    for split in ("train", "test"):
        for seed in (0, 7, (3, 250)):
            batch = sample(Experiment(task="themselves", rnn_type="many_to_one", seq_len=seq_len), 64, seed, split)
            for array in (batch.inputs, batch.targets, batch.mask, batch.lengths):
                digest.update(np.ascontiguousarray(array).tobytes())
                digest.update(str(array.dtype).encode())
    assert digest.hexdigest()[:16] == THEMSELVES_DIGESTS[seq_len]


def test_the_shortest_sentence_of_themselves_has_nothing_in_between():
    task = TASKS["themselves"]
    assert (task.lengths.low, task.lengths.high, task.lengths.default) == (4, 60, 12)
    assert hashlib.sha256("\n".join(task.input_labels).encode()).hexdigest()[:16] == VOCABULARY
    sentences = [words for words, _ in dealt("themselves", 3000, 4)]
    wanted, more = {"wanted", "bought", "kept", "made", "found"}, {"more", "some", "the"}
    assert {tuple(words) for words in sentences} == {
        (who, verb, much, "for") for who in SELVES for verb in wanted for much in more
    }


@pytest.mark.parametrize("seq_len", grid([4, 5, 12, 60], kept=lambda at: at < 3))
def test_no_other_person_tells_the_last_word(seq_len):
    people = {"he", "she", "they", "man", "woman", "men", "women", "king", "queen", "boys", "girls"}
    sentences = dealt("themselves", 20_000, seq_len)
    others = [[word for word in words[1:] if word in people] for words, _ in sentences]
    answers = [answer for _, answer in sentences]
    assert_tells_nothing([("", answer) for answer in answers], 3)
    assert_tells_nothing([((each or ["none"])[-1], answer) for each, answer in zip(others, answers, strict=True)], 3)
    assert {word for each in others for word in each} == (people if seq_len > 5 else set())
    (bar,) = TASKS["themselves"].baselines(Experiment(task="themselves", seq_len=seq_len)).values()
    assert bar == pytest.approx(math.log(3), rel=1e-12)


@for_each({"seq_len": LENGTHS, "slug, place": [("agreement", 1), ("themselves", 0)]})
def test_the_lag_reaches_back_to_the_word_that_decides(slug, place, seq_len):
    e = Experiment(task=slug, rnn_type="many_to_one", seq_len=seq_len)
    assert seq_len - 1 - TASKS[slug].lag(e) == place


@pytest.mark.parametrize(("slug", "place"), [("agreement", 1), ("themselves", 0)])
def test_the_unknown_word_is_met_but_never_decides(slug, place):
    sentences = [words for words, _ in dealt(slug, 3000, 15)]
    assert not any(words[place] == "<UNK>" for words in sentences)
    assert 0.2 < np.mean(["<UNK>" in words for words in sentences]) < 0.7
    assert_tells_nothing([("<UNK>" in words, answer) for words, answer in dealt(slug, 3000, 15)],
                         len(TASKS[slug].output_labels))  # fmt: skip
