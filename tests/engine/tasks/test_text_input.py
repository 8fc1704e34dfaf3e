"""What a person types is prepared as in training, and what cannot be read is refused with a sentence."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.experiment import Experiment
from engine.model import build
from engine.tasks import NO_SYMBOL, TASKS, Batch, sample
from tests.cases import for_each

READERS = [
    ("first_symbol_recall", "many_to_one"),
    ("temporal_order", "many_to_one"),
    ("parity", "many_to_many"),
    ("parity", "many_to_one"),
    ("xor", "many_to_many"),
    ("reber", "many_to_many"),
    ("embedded_reber", "many_to_many"),
]
SPEAKERS = ("reverse", "sort", "addition", "dates", "english_french", "headline")
ALL = [
    *READERS,
    ("count", "many_to_many"),
    ("melody", "one_to_many"),
    *((slug, "encoder_decoder") for slug in SPEAKERS),
]


def typed(slug: str, rnn_type: str, text: str) -> Batch:
    return TASKS[slug].encode(Experiment(task=slug, rnn_type=rnn_type), text)


def as_text(slug: str, tokens: np.ndarray) -> str:
    labels = TASKS[slug].input_labels
    return (" " if slug in ("english_french", "headline") else "").join(labels[each] for each in tokens)


@pytest.mark.parametrize(("slug", "rnn_type"), READERS)
def test_a_dealt_sequence_typed_is_the_same_sequence(slug, rnn_type):
    dealt = sample(Experiment(task=slug, rnn_type=rnn_type), 20, 1)
    for column in range(20):
        read = dealt.inputs[:, column]
        stop = int(np.flatnonzero(dealt.mask[:, column])[-1]) + 1 if slug == "embedded_reber" else len(read)
        batch = typed(slug, rnn_type, as_text(slug, read[:stop]))
        asked = dealt.mask[:stop, column]
        assert batch.inputs[:, 0].tolist() == read[:stop].tolist()
        assert batch.mask[:, 0].tolist() == asked.tolist() and batch.lengths.tolist() == [stop]
        known = np.flatnonzero(asked)[: -1 if slug == "reber" else None]  # what follows a beginning is unknown
        assert batch.targets[known, 0].tolist() == dealt.targets[known, column].tolist()


@pytest.mark.parametrize("slug", SPEAKERS)
def test_a_dealt_source_typed_is_the_same_source_and_nothing_is_said_yet(slug):
    e = Experiment(task=slug, rnn_type="encoder_decoder")
    dealt = sample(e, 20, 1)
    for column in range(20):
        read = dealt.inputs[: dealt.lengths[column], column]
        batch = typed(slug, "encoder_decoder", as_text(slug, read))
        assert batch.inputs[:, 0].tolist() == read.tolist() and batch.lengths.tolist() == [len(read)]
        assert batch.mask.all() and (batch.decoder_inputs == NO_SYMBOL).all()
        assert batch.decoder_inputs.shape == batch.targets.shape == batch.mask.shape
        room = dealt.mask[:, column].sum() if slug in ("reverse", "sort") else TASKS[slug].target_steps(e)
        assert len(batch.mask) == room


def test_a_typed_note_begins_a_tune_that_is_still_to_come():
    batch = typed("melody", "one_to_many", " g4 ")
    assert TASKS["melody"].input_labels[batch.inputs[0, 0]] == "G4"
    assert (batch.inputs[1:] == NO_SYMBOL).all() and batch.mask.all() and batch.inputs.shape == (24, 1)


@for_each({"slug, rnn_type": ALL})
def test_a_network_reads_the_example_and_says_so_what_it_is_asked(slug, rnn_type):
    task, e = TASKS[slug], Experiment(task=slug, rnn_type=rnn_type, hidden_size=3)
    assert task.asks and task.asks[-1] not in ".!?"
    batch, model = task.encode(e, task.example), build(e).eval()
    assert batch.mask.any() and batch.mask.dtype == bool and batch.targets.dtype == np.int64
    assert batch.inputs.dtype == np.int64 and batch.lengths.dtype == np.int64
    with torch.no_grad():
        outputs = model.generate(batch) if rnn_type in ("one_to_many", "encoder_decoder") else model(batch)
    assert outputs.shape == (1 if rnn_type == "many_to_one" else len(batch.mask), 1, task.output_size)


@for_each({"text": ["", "  ", "§"], "slug, rnn_type": ALL})
def test_nothing_and_unknown_signs_are_refused_with_a_sentence(slug, rnn_type, text):
    with pytest.raises(ValueError, match=r"^[A-Z“].*\.$"):
        typed(slug, rnn_type, text)


@for_each(
    {
        "slug, rnn_type, text, message": [
            ("first_symbol_recall", "many_to_one", "12a", "“a” cannot be read here, only 0 1 2 3 4 5 6 7 8 and 9."),
            ("first_symbol_recall", "many_to_one", "1" * 201, "From 1 to 200 characters can be read here, but got 201"),
            ("xor", "many_to_many", "1", "From 2 to 200 characters can be read here, but got 1"),
            ("parity", "many_to_one", "", "got none: they may be 0 and 1."),
            ("temporal_order", "many_to_one", "abXcd", "Exactly two of the letters must be X or Y, but got 1."),
            ("temporal_order", "many_to_one", "abcd", "must be X or Y, but got none."),
            ("reber", "many_to_many", " ", "Every string begins with B, so no first symbol is to be predicted"),
            ("melody", "one_to_many", "H4", "One note from C4 to C6 can be read here, but got “H4”."),
            ("reverse", "encoder_decoder", "AB" * 11, "From 1 to 20 characters can be read here, but got 22"),
            ("addition", "encoder_decoder", "7+", "From 3 to 5 characters"),
            ("addition", "encoder_decoder", "123+1", "Two numbers from 0 to 99 with a + between can be read here"),
            ("addition", "encoder_decoder", "1+2+3", "but got “1+2+3”."),
            ("dates", "encoder_decoder", "3/3/1999", "“/” cannot be read here, only the space"),
            ("dates", "encoder_decoder", "wednesday 3 march 1999", "“w” cannot be read"),
            ("dates", "encoder_decoder", "30 september of 1999", "to 18 characters can be read here, but got 20"),
            (
                "english_french",
                "encoder_decoder",
                "the black zebra",
                "The word “zebra” is not known here. Known are, for",
            ),
            ("english_french", "encoder_decoder", "the cat " * 5, "From 1 to 8 words can be read here, but got 10"),
            ("headline", "encoder_decoder", "the pilot sold a house", "The word “pilot” is not known here."),
        ]
    }
)
def test_a_refusal_says_what_it_got_and_what_it_accepts(slug, rnn_type, text, message):
    with pytest.raises(ValueError, match=r"\.$") as refusal:
        typed(slug, rnn_type, text)
    assert message in str(refusal.value)


def test_capitals_spaces_and_punctuation_do_not_matter():
    assert np.array_equal(typed("reverse", "encoder_decoder", " b a d ").inputs[:, 0], [1, 0, 3])
    one, other = (typed("headline", "encoder_decoder", text).inputs for text in
                  ("Last week, the mayor opened a school.", "last week the mayor opened a school"))  # fmt: skip
    assert np.array_equal(one, other)
    order = TASKS["temporal_order"]
    assert order.output_labels[typed("temporal_order", "many_to_one", "A x B y").targets[0, 0]] == "XY"


def test_every_addition_of_two_small_numbers_can_be_typed():
    signs = TASKS["addition"].input_labels
    for text in ("0+0", "99+99", "7 + 35", "42+8"):
        read = typed("addition", "encoder_decoder", text).inputs[:, 0]
        assert "".join(signs[each] for each in read) == text.replace(" ", "")
