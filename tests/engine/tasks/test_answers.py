"""The rules that answer a sentence from its inputs alone: for a generated batch they give the generator's targets."""

from __future__ import annotations

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.tasks import NO_SYMBOL, TASKS
from engine.tasks.base import NO_ANSWER
from engine.tasks.batch import last_counted
from engine.tasks.text_input import encode_symbol
from tests.cases import for_each
from tests.engine.tasks.conftest import unhidden

RULES = [(slug, rnn_type) for slug, task in TASKS.items() if task.answers for rnn_type in task.rnn_types]
OPEN_ENDED = ("characters", "next_word", "reber")  # what follows the last input is not in the inputs


@for_each({"slug, rnn_type": RULES, "length": ["low", "default", "high"], "split": ["train", "test"]})
def test_the_rule_gives_the_generators_own_targets(slug, rnn_type, length, split):
    task = TASKS[slug]
    e = Experiment(task=slug, rnn_type=rnn_type, seq_len=getattr(task.lengths, length), batch_size=1, hidden_size=1)
    batch = unhidden(e, 200, 3, split)
    targets = task.answers(e, batch.inputs)
    assert targets.shape == batch.targets.shape
    wanted = batch.mask.copy()
    if slug in OPEN_ENDED:
        last = last_counted(batch.mask), np.arange(200)
        assert (targets[last] == NO_ANSWER).all()
        wanted[last] = False
    assert np.array_equal(targets[wanted], batch.targets[wanted])
    if batch.decoder_inputs is not None:
        assert (targets[~wanted] == NO_ANSWER).all()


def test_the_tasks_with_symbols_that_have_no_rule():
    without = {slug for slug, task in TASKS.items() if task.inputs == "symbols" and not task.answers}
    assert without == {"dates", "english_french", "headline"}
    assert all(TASKS[slug].outputs == "symbols" for slug, _ in RULES)


def typed(slug: str, text: str) -> np.ndarray:
    words = text.split() if " " in text else list(text)
    return np.array([[encode_symbol(word, TASKS[slug].input_labels)] for word in words])


@for_each(
    {
        "slug, text, at, answer": [
            ("themselves", "she wanted more bread for", -1, "herself"),
            ("themselves", "king wanted more bread for", -1, None),
            ("agreement", "the dogs near the house", -1, "were"),
            ("agreement", "the quokka near the house", -1, None),
            ("sentiment", "the film was not good", -1, "negative"),
            ("sentiment", "the film was never dull", -1, "positive"),
            ("sentiment", "not never good", -1, None),
            ("sentiment", "good and dull", -1, None),
            ("sentiment", "good not", -1, None),
            ("teddy", "he said teddy bears are soft", 2, "no person"),
            ("teddy", "he said teddy and his wife waved", 2, "person"),
            ("teddy", "he said teddy smiled", 2, None),
            ("entities", "they say that florence moved to jordan", 3, "person"),
            ("entities", "they say that florence moved to jordan", -1, "place"),
            ("entities", "florence florence they", 0, None),
            ("temporal_order", "abYcdXabcd", -1, "YX"),
            ("temporal_order", "abYcdbabcd", -1, None),
            ("copy", "ABC···▶···", -2, "B"),
            ("copy", "A·C···▶···", -2, None),
            ("copy", "ABC·A·▶···", -1, None),
            ("embedded_reber", "BPBTXSEP", -2, "P"),
            ("embedded_reber", "BXBTXSEP", -2, None),
            ("count", ".aabb", -1, "."),
            ("count", ".aaab", -1, "b"),
            ("count", ".abab", -1, None),
            ("melody", "G4 G4 G4", 1, "D5"),
            ("melody", "C6 C6 C6", 1, None),
            ("addition", "7+95", 2, "2"),
            ("addition", "7+9+", 0, None),
            ("next_word", "the wolf runs", 1, "runs"),
            ("next_word", "the wolf runs", 0, None),
        ]
    }
)
def test_a_changed_sentence_has_the_answer_of_the_rule_or_none(slug, text, at, answer):
    task = TASKS[slug]
    inputs = typed(slug, text)
    e = Experiment(task=slug, rnn_type=task.rnn_types[0])
    target = int(task.answers(e, inputs)[at, 0])
    assert (None if target == NO_ANSWER else task.output_labels[target]) == answer


def test_a_symbol_is_read_whatever_its_case_and_an_unknown_word_as_unknown():
    words, letters, digits = (TASKS[slug].input_labels for slug in ("themselves", "characters", "first_symbol_recall"))
    assert words[encode_symbol("They", words)] == "they" and words[encode_symbol(" more, ", words)] == "more"
    assert encode_symbol("quokka", words) == encode_symbol("<UNK>", words) == 0 == encode_symbol("ß", letters)
    assert letters[encode_symbol(" ", letters)] == " " and digits[encode_symbol("7", digits)] == "7"
    for text, labels, says in (
        ("x", digits, "“x” cannot be read at one step; what can is for example 0 1 2 3 4 and 5."),
        ("  ", digits, "Nothing was typed; what can be read is for example 0 1"),
        ("more bread", words, "“more bread” cannot be read at one step"),
        ("12", digits, "“12” cannot be read"),
        ("ab", letters, "“ab” cannot be read"),
    ):
        with pytest.raises(ValueError) as error:
            encode_symbol(text, labels)
        assert str(error.value).startswith(says), str(error.value)


def test_padding_stays_without_an_answer():
    e = Experiment(task="next_word", rnn_type="many_to_many")
    batch = unhidden(e, 50, 1)
    targets = TASKS["next_word"].answers(e, batch.inputs)
    assert (targets[1:][batch.inputs[1:] == NO_SYMBOL] == NO_ANSWER).all()
