"""Next word: sentences read again by a grammar of the tests' own, unknown words, perplexity, and the bar to beat."""

from __future__ import annotations

import math
import re
from collections import Counter

import numpy as np
import pytest
import torch

from engine.experiment import Experiment
from engine.model import build
from engine.tasks import NO_SYMBOL, TASKS, Batch, probe, sample
from tests.engine.tasks.conftest import answers_of, least_loss, no_input, unhidden

TASK = TASKS["next_word"]
LABELS = TASK.input_labels
UNSEEN = ("nadia", "igor", "wolf", "plum", "harbour")

WOMAN, MAN = "anna|maria|lucy|emma|<UNK>", "peter|tom|david|paul|<UNK>"
ANIMAL = "(?:dog|cat|horse|bird|mouse|rabbit|<UNK>)"
FOOD = "(?:bread|cheese|soup|rice|fish|cake|<UNK>)"
PLACE = "(?:garden|station|market|school|river|village|<UNK>)"
RESTS = "(?:sleeps|waits|rests)"
SEES = f"(?:sees|hears|follows|likes) (?:the {ANIMAL}|{WOMAN}|{MAN})"
PEOPLE = f"(?:cooks|buys|orders|bakes) {FOOD}|(?:drives|walks|cycles|travels) to the {PLACE}|{RESTS}|{SEES}"
BEASTS = f"(?:eats|smells|finds|steals) {FOOD}|(?:runs|jumps|hurries) to the {PLACE}|{RESTS}|{SEES}"
WHO = f"(?:(?P<she>{WOMAN})|(?P<he>{MAN})) (?:{PEOPLE})"
WHAT = f"(?P<it>the (?:(?:small|old|young|quick) )?{ANIMAL}) (?:{BEASTS})"
REST = (
    f"(?P<when> today| again| often)?(?P<where> in the {PLACE})?"
    f"(?P<why> because (?P<pronoun>she|he|it) is (?:tired|hungry|happy|late))?(?P<then> and {RESTS})?"
)
SENTENCE = re.compile(f"(?:{WHO}|{WHAT}){REST} [.]")


def dealt(count: int, split: str, seq_len: int = 12, seed: int = 1) -> tuple[Batch, list[str]]:
    """A batch, and its sentences as they are asked for."""
    batch = unhidden(Experiment(task="next_word", rnn_type="many_to_many", seq_len=seq_len), count, seed, split)
    columns = zip(batch.targets.T, batch.lengths, strict=True)
    return batch, [" ".join(LABELS[token] for token in column[:length]) for column, length in columns]


@pytest.mark.parametrize("seq_len", [5, 8, 12])
@pytest.mark.parametrize("split", ["train", "test"])
def test_every_sentence_is_one_of_the_grammar(split, seq_len):
    checked = 0
    for sentence in dealt(3000, split, seq_len)[1]:
        assert 4 <= len(sentence.split()) <= seq_len
        match = SENTENCE.fullmatch(sentence)
        assert match, sentence
        pronoun, subject = match["pronoun"], (match["she"] or match["he"] or match["it"])
        assert not pronoun or match[pronoun] or subject == "<UNK>", sentence
        assert sum(match[part] is not None for part in ("when", "where", "why", "then")) <= 2
        checked += 1
    assert checked > 2000


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_input_is_the_word_before_the_answer_and_the_full_stop_ends_it(split):
    batch, _ = dealt(300, split)
    for read, asked, length in zip(batch.inputs.T, batch.targets.T, batch.lengths, strict=True):
        assert read[0] == NO_SYMBOL
        assert read[1:length].tolist() == asked[: length - 1].tolist()
        assert [LABELS[token] for token in asked[:length]].index(".") == length - 1
    assert len(set(batch.lengths.tolist())) > 5


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_unknown_word_is_read_and_never_asked_for(split):
    batch = sample(Experiment(task="next_word", rnn_type="many_to_many"), 3000, 1, split)
    assert (batch.inputs == 0).any()
    assert np.array_equal(batch.mask, batch.valid & (batch.targets != 0))


def test_held_out_sentences_have_words_that_training_never_saw():
    """One name in five is new, since each class of four has one new member; training knows none of them."""
    assert not set(UNSEEN) & set(LABELS) and LABELS[0] == "<UNK>"
    _, sentences = dealt(20_000, "test")
    first = Counter(sentence.split()[0] for sentence in sentences)
    people = first.total() - first["the"]
    assert abs(first["<UNK>"] - people / 5) < 5 * (people * 4 / 25) ** 0.5
    place = Counter(re.findall(r"in the (\S+)", " ".join(sentences)))
    assert abs(place["<UNK>"] - place.total() / 7) < 5 * (place.total() * 6 / 49) ** 0.5


@pytest.mark.parametrize("seq_len", [5, 12])
def test_the_bar_is_the_entropy_of_the_words(seq_len):
    batch, _ = dealt(20_000, "test", seq_len, seed=77)
    bar, guessing = TASK.baselines(Experiment(task="next_word", rnn_type="many_to_many", seq_len=seq_len)).values()
    assert bar == pytest.approx(least_loss(answers_of(batch, no_input)), abs=0.01)
    assert guessing == pytest.approx(math.log(len(LABELS))) and bar < guessing - 0.4
    assert 60 <= len(LABELS) <= 90


# ---- perplexity


def test_who_hesitates_between_all_words_has_their_number_as_perplexity():
    batch, _ = dealt(50, "test")
    answers = np.full((*batch.mask.shape, len(LABELS)), 1 / len(LABELS))
    assert TASK.metric.measure(batch, answers) == pytest.approx(len(LABELS))
    assert not TASK.metric.percent and not TASK.metric.higher_is_better


def test_perplexity_is_the_exponential_of_the_mean_cross_entropy_of_the_counted_steps():
    e = Experiment(task="next_word", rnn_type="many_to_many", hidden_size=8)
    batch, model = probe(e), build(e)
    with torch.no_grad():
        losses, answers = model.loss_per_step(batch).numpy(), torch.softmax(model(batch), -1).numpy()
    answers[~batch.mask] = np.nan
    assert TASK.metric.measure(batch, answers) == pytest.approx(math.exp(losses[batch.mask].mean()), rel=1e-5)


def test_perplexity_of_certain_answers():
    batch, _ = dealt(50, "test")
    right = np.eye(len(LABELS))[batch.targets]
    assert TASK.metric.measure(batch, right) == 1
    wrong = TASK.metric.measure(batch, np.roll(right, 1, axis=-1).astype(np.float32))
    assert 1e30 < wrong < math.inf
