"""What a person types is read as training's sentences are, and refused with a sentence where it cannot be read."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.experiment import Experiment
from engine.model import build
from engine.tasks import NO_SYMBOL, TASKS
from tests.cases import for_each
from tests.engine.tasks.conftest import unhidden

STARTED = ("characters", "next_word")  # x_0 is nothing yet: the text is to be gone on with
TYPED = (*STARTED, "sentiment", "agreement", "themselves", "teddy", "entities")
CASES = [(slug, kind) for slug in TYPED for kind in TASKS[slug].rnn_types]
ONE = {slug: "teddy" if slug == "teddy" else "a" if slug == "characters" else "the" for slug in TYPED}


def typed_again(slug: str, tokens: np.ndarray) -> str:
    """What a person would have to type for these tokens; nobody knows the unknown word."""
    unknown = "☃" if slug == "characters" else "xylophone"
    between = "" if slug == "characters" else " "
    return between.join(unknown if token == 0 else TASKS[slug].input_labels[token] for token in tokens)


@for_each({"slug, kind": CASES, "split": ["train", "test"]})
def test_a_dealt_sentence_typed_again_gives_the_same_tokens(slug, kind, split):
    e = Experiment(task=slug, rnn_type=kind)
    batch = unhidden(e, 100, 1, split)
    for column, length in zip(batch.inputs.T, batch.lengths, strict=True):
        read = column[:length]
        encoded = TASKS[slug].encode(e, typed_again(slug, read[read != NO_SYMBOL]))
        assert encoded.inputs.dtype == np.int64 and encoded.inputs[:, 0].tolist() == read.tolist()


@pytest.mark.parametrize(("slug", "kind"), CASES)
def test_a_typed_text_is_a_batch_of_one_that_a_network_answers(slug, kind):
    e = Experiment(task=slug, rnn_type=kind, hidden_size=4)
    task = TASKS[slug]
    batch = task.encode(e, task.example)
    steps = len(batch.inputs)
    assert batch.inputs.shape == batch.targets.shape == batch.mask.shape == (steps, 1)
    assert batch.lengths.tolist() == [steps] and batch.lengths.dtype == batch.targets.dtype == np.int64
    assert not batch.targets.any() and batch.mask.dtype == np.bool_ and batch.decoder_inputs is None
    assert (batch.inputs[0, 0] == NO_SYMBOL) == (slug in STARTED) and (batch.inputs[1:] >= 0).all()
    if kind == "many_to_one":
        assert np.flatnonzero(batch.mask).tolist() == [steps - 1]
    elif slug == "teddy":
        asked = [task.input_labels[token] for token in batch.inputs[batch.mask]]
        assert asked == ["teddy"]
    else:
        assert batch.mask.all()
    with torch.no_grad():
        outputs = build(e)(batch)
    assert outputs.shape == (1 if kind == "many_to_one" else steps, 1, task.output_size) and outputs.isfinite().all()


@pytest.mark.parametrize("slug", TYPED)
def test_the_example_is_understood_but_for_words_left_out_on_purpose(slug):
    task = TASKS[slug]
    batch = task.encode(Experiment(task=slug, rnn_type=task.rnn_types[0]), task.example)
    assert (batch.inputs == 0).sum() == (slug == "next_word")  # "wolf"
    assert len(task.asks) > 3 and not task.asks.endswith(".")


@pytest.mark.parametrize("slug", TYPED[1:])
def test_case_and_punctuation_do_not_matter_and_new_words_are_unknown(slug):
    task = TASKS[slug]
    e = Experiment(task=slug, rnn_type=task.rnn_types[0])
    plain, dressed = (task.encode(e, text) for text in ("the teddy xylophone", "  The TEDDY, “xylophone”!! "))
    assert plain.inputs.tolist() == dressed.inputs.tolist()
    assert plain.inputs[-1, 0] == 0 and len(plain.inputs) == 3 + (slug in STARTED)


def test_characters_are_read_small_with_single_spaces_and_keep_the_last_one():
    e = Experiment(task="characters", rnn_type="many_to_many")
    labels = TASKS["characters"].input_labels
    read = TASKS["characters"].encode(e, "Alice\n\n  was ☃ ").inputs[1:, 0]
    assert "".join(labels[token] for token in read) == "alice was \ufffd "


@for_each({"count": [1, 200], "slug": TYPED})
def test_one_to_two_hundred_symbols_are_read(slug, count):
    task = TASKS[slug]
    between = "" if slug == "characters" else " "
    batch = task.encode(Experiment(task=slug, rnn_type=task.rnn_types[0]), between.join([ONE[slug]] * count))
    assert len(batch.inputs) == count + (slug in STARTED)


NONE_OR_TOO_MANY = [(slug, count, got) for slug in TYPED for count, got in ((0, "none"), (201, "201"))]


# In the text of characters every character counts: there it cannot be none.
@for_each({"slug, count, got": [case for case in NONE_OR_TOO_MANY if case[:2] != ("characters", 0)]})
def test_no_symbol_or_too_many_are_refused_with_a_sentence(slug, count, got):
    task = TASKS[slug]
    unit, between = ("characters", "") if slug == "characters" else ("words", " ")
    text = between.join([ONE[slug]] * count) or "?!"
    with pytest.raises(ValueError, match=f"^From 1 to 200 {unit} can be read here, but got {got}(: .*)?[.]$"):
        task.encode(Experiment(task=slug, rnn_type=task.rnn_types[0]), text)


@for_each({"text": ["", " \n "], "slug, rnn_type": [(slug, kind) for slug, kind in CASES if slug in STARTED]})
def test_an_empty_text_asks_for_the_first_symbol_from_the_zero_input(slug, rnn_type, text):
    batch = TASKS[slug].encode(Experiment(task=slug, rnn_type=rnn_type), text)
    assert batch.inputs.tolist() == [[NO_SYMBOL]] and batch.mask.tolist() == [[True]]


def test_punctuation_alone_is_no_word():
    with pytest.raises(ValueError, match="but got none"):
        TASKS["sentiment"].encode(Experiment(task="sentiment", rnn_type="many_to_one"), "?!")


def test_a_sentence_without_teddy_is_refused():
    e = Experiment(task="teddy", rnn_type="many_to_many")
    with pytest.raises(ValueError, match="'teddy'"):
        TASKS["teddy"].encode(e, "he said that bears are soft")
    assert TASKS["teddy"].encode(e, "Teddy! said teddy").mask[:, 0].tolist() == [True, False, True]


@pytest.mark.parametrize("slug", STARTED)
def test_who_goes_on_by_itself_says_the_symbols_that_it_reads(slug):
    assert TASKS[slug].continues and TASKS[slug].causal
    assert TASKS[slug].input_labels == TASKS[slug].output_labels
    e = Experiment(task=slug, rnn_type="many_to_many")
    batch = unhidden(e, 50, 3)
    goes_on = batch.valid[1:]
    assert np.array_equal(batch.inputs[1:][goes_on], batch.targets[:-1][goes_on])
