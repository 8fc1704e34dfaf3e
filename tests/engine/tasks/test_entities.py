"""Entities: tagged again by rules of the tests' own; what one word tells, and what reading one way tells."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.tasks import TASKS, Batch
from tests.cases import grid
from tests.engine.tasks.conftest import all_so_far, answers_of, least_loss, no_input, symbol_now, unhidden

TASK = TASKS["entities"]
PEOPLE, PLACES = {"anna", "peter", "maria", "tom"}, {"london", "berlin", "rome", "madrid"}
EITHER = {"paris", "jordan", "florence", "sydney", "austin", "washington"}
FEELINGS, FATES = {"tired", "angry", "happy", "hungry"}, {"flooded", "crowded", "rebuilt", "destroyed"}


def dealt(count: int, seq_len: int = 11, split: str = "train") -> tuple[Batch, list[tuple[list[str], list[str]]]]:
    """A batch, and (words, tags) of its sentences."""
    batch = unhidden(Experiment(task="entities", rnn_type="many_to_many", seq_len=seq_len), count, 1, split)
    sentences = []
    for read, asked, length in zip(batch.inputs.T, batch.targets.T, batch.lengths, strict=True):
        sentences.append(([TASK.input_labels[token] for token in read[:length]],
                      [TASK.output_labels[tag] for tag in asked[:length]]))  # fmt: skip
    return batch, sentences


def tag_from_context(words: list[str], at: int) -> str:
    """The tag of a name by the words around it."""
    before, (after, later) = words[at - 1] if at else "", [*words[at + 1 : at + 3], "", ""][:2]
    if before in ("in", "to"):
        return "place"
    if before in ("with", "met", "and") or (at > 1 and words[at - 2] == "my"):
        return "person"
    if after == "was":
        assert later in FEELINGS | FATES
        return "person" if later in FEELINGS else "place"
    return "place" if after in ("lies", "has", "which") else "person"


@pytest.mark.parametrize("seq_len", [6, 8, 11])
@pytest.mark.parametrize("split", ["train", "test"])
def test_the_words_around_a_name_say_what_it_is(seq_len, split):
    names = 0
    for words, tags in dealt(2000, seq_len, split)[1]:
        assert len(words) <= seq_len
        for at, (word, tag) in enumerate(zip(words, tags, strict=True)):
            if word in PEOPLE | PLACES | EITHER:
                assert tag == tag_from_context(words, at), (words, at)
                assert tag == "person" or word not in PEOPLE
                assert tag == "place" or word not in PLACES
                names += 1
            elif word != "<UNK>":
                assert tag == "none", (words, at)
    assert names > 2000


def test_some_names_are_people_and_places_about_as_often():
    tags: dict[str, Counter] = {}
    for words, asked in dealt(10_000)[1]:
        for word, tag in zip(words, asked, strict=True):
            tags.setdefault(word, Counter())[tag] += 1
    for word in EITHER:
        assert set(tags[word]) == {"person", "place"}
        assert 0.35 < tags[word]["person"] / tags[word].total() < 0.65
    assert set(tags["<UNK>"]) == {"none", "person", "place"}


def test_every_word_of_a_sentence_is_asked_about():
    batch, _ = dealt(500)
    assert np.array_equal(batch.mask, batch.valid)
    assert batch.lengths.max() == 11 and batch.lengths.min() == 2


@pytest.mark.parametrize("seq_len", grid([6, 11], kept=lambda at: at == 1))
def test_the_baselines_are_those_of_the_dealt_sentences(seq_len):
    batch, _ = dealt(20_000, seq_len)
    expected = [least_loss(answers_of(batch, known)) for known in (no_input, symbol_now)]
    bars = list(TASK.baselines(Experiment(task="entities", rnn_type="many_to_many", seq_len=seq_len)).values())
    assert bars == pytest.approx(expected, abs=0.01)
    assert 0.1 < bars[1] < bars[0] / 3


def test_who_reads_one_way_is_left_with_something_to_guess():
    """All that was read so far does not settle a name that begins a sentence; with all that follows, nothing is open.

    Only known words are looked at: sentences that share every word up to a name, and differ in what it is.
    """
    batch, sentences = dealt(20_000)
    clear = np.array([word_list.count("<UNK>") == 0 for word_list, _ in sentences])
    kept = Batch(batch.inputs[:, clear], batch.targets[:, clear], batch.mask[:, clear], batch.lengths[clear])
    assert least_loss(answers_of(kept, all_so_far)) > 0.02
    assert least_loss(answers_of(kept, lambda b, t, c: (t, tuple(b.inputs[:, c].tolist())))) == 0
