"""Reviews and Teddy: read again by a small parser of its own, and counted for anything that gives the answer away."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.tasks import TASKS, Batch
from engine.tasks.sentiment import encode_words
from tests.cases import grid
from tests.engine.tasks.conftest import unhidden

GOOD = {"good", "great", "lovely", "funny", "clever", "charming", "brilliant", "exciting"}
BAD = {"bad", "awful", "boring", "dull", "slow", "silly", "clumsy", "dreadful"}


def words(slug: str, batch: Batch) -> list[list[str]]:
    """The words of every sequence, without padding."""
    labels = TASKS[slug].input_labels
    columns = zip(batch.inputs.T, batch.lengths, strict=True)
    return [[labels[token] for token in column[:length]] for column, length in columns]


def reviews(count: int, seq_len: int = 12, split: str = "train") -> tuple[list[list[str]], list[str]]:
    """Reviews and what the task says of them."""
    e = Experiment(task="sentiment", rnn_type="many_to_one", seq_len=seq_len)
    batch = unhidden(e, count, 1, split)
    answers = batch.targets[batch.lengths - 1, np.arange(count)]
    return words("sentiment", batch), [TASKS["sentiment"].output_labels[answer] for answer in answers]


def parsed(review: list[str]) -> tuple[str, str | None, int]:
    """The judging word, the negation before it, and how many words stand between."""
    (at,) = (place for place, word in enumerate(review) if word in GOOD | BAD)
    negations = [place for place, word in enumerate(review) if word in ("not", "never")]
    assert len(negations) <= 1
    if not negations:
        return review[at], None, 0
    assert negations[0] < at
    return review[at], review[negations[0]], at - negations[0] - 1


# ---- reviews


@pytest.mark.parametrize("seq_len", [4, 12, 20])
@pytest.mark.parametrize("split", ["train", "test"])
def test_a_negation_turns_the_word_after_it_round(seq_len, split):
    for review, answer in zip(*reviews(2000, seq_len, split), strict=True):
        judgement, negation, _ = parsed(review)
        assert answer == ("positive" if (judgement in GOOD) != (negation is not None) else "negative")


def test_up_to_three_words_stand_between_a_negation_and_its_word():
    between = Counter(apart for _, negation, apart in map(parsed, reviews(5000)[0]) if negation)
    assert set(between) == {0, 1, 2, 3}
    assert {negation for _, negation, _ in map(parsed, reviews(500)[0])} == {None, "not", "never"}


@pytest.mark.parametrize("seq_len", grid(range(4, 21), kept=lambda at: at % 4 == 0))
def test_reviews_have_every_length_from_three_words_on(seq_len):
    counts = Counter(len(review) for review in reviews(4000, seq_len)[0])
    assert set(counts) == set(range(3, seq_len + 1))
    expected = 4000 / (seq_len - 2)
    assert all(abs(count - expected) < 5 * expected**0.5 for count in counts.values())


@pytest.mark.parametrize("seq_len", grid([4, 12, 20], kept=lambda at: at < 2))
def test_neither_the_word_nor_the_length_tells_whether_it_is_negated(seq_len):
    """A third of each, within five standard deviations; classes and words are as common as each other."""
    batch, answers = reviews(20_000, seq_len)
    assert abs(answers.count("positive") - 10_000) < 5 * 5000**0.5
    for part in (0, 1):
        dealt, negated = Counter(), Counter()
        for review in batch:
            judgement, negation, _ = parsed(review)
            key = (judgement, len(review))[part]
            dealt[key] += 1
            negated[key] += negation is not None
        for key, count in dealt.items():
            assert abs(negated[key] - count / 3) < 5 * (count * 2 / 9) ** 0.5, key
        if part == 0:
            assert set(dealt) == GOOD | BAD
            assert all(abs(count - 1250) < 5 * 1250**0.5 for count in dealt.values())


def test_a_typed_review_becomes_tokens():
    labels = TASKS["sentiment"].input_labels
    tokens = encode_words("The film: NOT at all good, it wasn't 7!")
    assert tokens.dtype == np.int64
    assert [labels[token] for token in tokens] == ["the", "film", "not", "at", "all", "good", "it", *["<UNK>"] * 2]
    assert labels[0] == "<UNK>" and list(labels[1:]) == sorted(labels[1:])
    assert encode_words("").shape == (0,) and encode_words("").dtype == np.int64
    batch, _ = reviews(50)
    assert all([labels[token] for token in encode_words(" ".join(review))] == review for review in batch)


def test_no_unknown_word_is_dealt():
    for slug in ("sentiment", "teddy"):
        e = Experiment(task=slug, rnn_type=TASKS[slug].rnn_types[0], seq_len=TASKS[slug].lengths.high)
        dealt = {word for sentence in words(slug, unhidden(e, 20_000, 1)) for word in sentence}
        assert dealt == set(TASKS[slug].input_labels) - {"<UNK>"}


# ---- Teddy


def teddies(count: int, seq_len: int) -> tuple[Batch, list[tuple[str, str, str]]]:
    """(what is said before "teddy", what is said after it, the answer) of every sentence."""
    batch = unhidden(Experiment(task="teddy", rnn_type="many_to_many", seq_len=seq_len), count, 1)
    sentences = []
    for column, sentence in enumerate(words("teddy", batch)):
        at = sentence.index("teddy")
        answer = TASKS["teddy"].output_labels[batch.targets[at, column]]
        sentences.append((" ".join(sentence[:at]), " ".join(sentence[at + 1 :]), answer))
    return batch, sentences


@pytest.mark.parametrize("seq_len", [6, 10, 16])
def test_the_words_after_teddy_say_whether_it_is_a_person(seq_len):
    people, things = {"roosevelt", "wife", "senators"}, {"bears", "doll", "dolls"}
    for _, after, answer in teddies(2000, seq_len)[1]:
        words_after = set(after.split())
        assert bool(words_after & people) == (answer == "person") and bool(words_after & things) == (
            answer == "no person"
        )
        assert (people | things) & set(after.split()[:3])  # at the third word after it at the latest


@pytest.mark.parametrize("seq_len", [6, 10, 16])
def test_only_teddy_is_asked_about(seq_len):
    batch, _ = teddies(500, seq_len)
    for column, sentence in enumerate(words("teddy", batch)):
        assert [sentence[t] for t in np.flatnonzero(batch.mask[:, column])] == ["teddy"]
        assert sentence.count("teddy") == 1


@pytest.mark.parametrize("seq_len", grid(range(6, 17), kept=lambda at: at % 5 == 0))
def test_what_is_said_before_teddy_tells_nothing(seq_len):
    """Every prefix, of a whole sentence or of a part, is followed by either answer equally often."""
    both: dict[str, Counter] = {}
    for before, _, answer in teddies(20_000, seq_len)[1]:
        both.setdefault(before, Counter())[answer] += 1
    shortest, longest = min(map(len, map(str.split, both))), max(map(len, map(str.split, both)))
    assert shortest == 2 and longest == min(seq_len - 4, 9)
    for before, counts in both.items():
        dealt = counts.total()
        assert abs(counts["person"] - dealt / 2) < 5 * (dealt / 4) ** 0.5, before
    expected = 20_000 / len(both)  # and all prefixes are dealt alike
    assert all(abs(counts.total() - expected) < 5 * expected**0.5 for counts in both.values())


def test_sentences_fill_the_length_that_is_offered():
    for seq_len in (6, 10, 16):
        batch, _ = teddies(5000, seq_len)
        assert batch.lengths.max() == seq_len and len(set(batch.lengths.tolist())) > 1
