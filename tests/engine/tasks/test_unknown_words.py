"""Word dropout: where words are hidden and where not, and how sure that leaves a network of words it does not know."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import pytest
import torch

from engine.experiment import Experiment
from engine.tasks import END, NO_SYMBOL, TASKS, Batch, held_out, probe, sample, unknown_words
from engine.tasks.base import stream
from engine.tasks.unknown_words import HIDING_SHARE, UNKNOWNS, has_unknown, hide_words, not_in_vocabulary
from engine.training import Trainer
from tests.cases import for_each
from tests.engine.tasks.conftest import unhidden

KINDS = [(slug, kind) for slug, task in TASKS.items() for kind in task.rnn_types]
WITH_UNKNOWN = [(slug, kind) for slug, kind in KINDS if set(TASKS[slug].input_labels) & set(UNKNOWNS)]
SPEAK_OF_IT = ("agreement", "themselves", "entities")  # the grammar itself has <UNK> among its words
LEARNS = {"task": "sentiment", "rnn_type": "many_to_one", "cell": "gru", "embedding_size": 16, "hidden_size": 16,
          "learning_rate": 0.01, "steps": 150}  # fmt: skip
FAR_FROM_CERTAIN = 0.8


def fields_but_inputs(batch: Batch) -> list[np.ndarray]:
    return [batch.targets, batch.mask, batch.lengths]


def test_the_tasks_with_unknown_words_are_known_and_have_the_symbol_first():
    slugs = {slug for slug, _ in WITH_UNKNOWN}
    assert slugs >= {"sentiment", "characters", "teddy", "next_word", *SPEAK_OF_IT}
    for slug, task in TASKS.items():
        assert has_unknown(task.input_labels) == (slug in slugs)
        assert not set(task.input_labels[1:]) & set(UNKNOWNS)


@for_each({"slug, kind": WITH_UNKNOWN})
def test_in_training_half_the_words_of_one_sequence_in_ten_are_hidden(slug, kind):
    e = Experiment(task=slug, rnn_type=kind)
    whole, dealt = unhidden(e, 20_000, (3, 1)), sample(e, 20_000, (3, 1))
    words = whole.inputs > 0
    hidden = words & (dealt.inputs == 0)
    assert abs(hidden.sum() / words.sum() - HIDING_SHARE / 2) < 5 * (HIDING_SHARE / 3 / 20_000) ** 0.5
    share = hidden.sum(0) / words.sum(0)
    assert abs((share > 0).mean() - HIDING_SHARE) < 0.03
    assert (share == 1).any() and ((share > 0.3) & (share < 0.7)).any()
    assert np.array_equal(dealt.inputs[~hidden], whole.inputs[~hidden])
    assert all(map(np.array_equal, fields_but_inputs(whole), fields_but_inputs(dealt)))


@for_each({"slug, kind": WITH_UNKNOWN})
def test_only_words_are_hidden(slug, kind):
    """Neither padding nor "nothing yet"; and no input is a sign of its own, but for the characters of a text."""
    e = Experiment(task=slug, rnn_type=kind)
    whole, dealt = unhidden(e, 5000, (3, 2)), sample(e, 5000, (3, 2))
    assert np.array_equal(whole.inputs == NO_SYMBOL, dealt.inputs == NO_SYMBOL)
    if slug != "characters":
        read = {TASKS[slug].input_labels[token] for token in np.unique(whole.inputs) if token > 0}
        assert END not in read and all(word.isalpha() for word in read)


@for_each({"slug, kind": WITH_UNKNOWN, "seed": [0, 5]})
def test_no_word_of_held_out_sequences_is_hidden(slug, kind, seed):
    e = Experiment(task=slug, rnn_type=kind, seed=seed)
    for dealt, whole in (
        (probe(e), unhidden(e, 16, (seed, 0), "test")),
        (held_out(e), unhidden(e, 256, (seed, 1), "test")),
        (sample(e, 400, 7, "test"), unhidden(e, 400, 7, "test")),
    ):
        assert np.array_equal(dealt.inputs, whole.inputs)
        if slug not in (*SPEAK_OF_IT, "next_word", "characters"):  # held-out text has words that training never saw
            assert not (dealt.inputs == 0).any()


@for_each({"slug, kind": [case for case in KINDS if case not in WITH_UNKNOWN]})
def test_the_batches_of_all_other_tasks_are_as_they_were(slug, kind):
    e = Experiment(task=slug, rnn_type=kind)
    for whole, dealt in zip(*[[deal(e, 64, (0, step)) for step in (1, 2)] for deal in (unhidden, sample)], strict=True):
        names = [each.name for each in dataclasses.fields(Batch) if getattr(whole, each.name) is not None]
        assert all(np.array_equal(getattr(whole, name), getattr(dealt, name)) for name in names)


def test_batches_are_those_that_were_dealt_before_words_were_hidden():
    """Written down then; `unhidden` draws anew what it is compared with above."""
    for settings, expected in BEFORE.items():
        task, kind = settings.split()
        batch = unhidden(Experiment(task=task, rnn_type=kind), 64, (0, 1))
        content = b"".join(np.ascontiguousarray(each).tobytes() for each in (batch.inputs, batch.targets, batch.mask))
        assert hashlib.sha256(content).hexdigest()[:16] == expected, settings


BEFORE = {
    "first_symbol_recall many_to_one": "1f7f60ff73160ed2",
    "temporal_order many_to_one": "09003288bc7ac686",
    "copy many_to_many": "b4340ae88b728c6d",
    "parity many_to_many": "33ca020ae625ab1f",
    "xor many_to_many": "efc2f3b88b2f4538",
    "count many_to_many": "cdc0e378edb8c000",
    "reber many_to_many": "05ec929332b384da",
    "embedded_reber many_to_many": "90b8826aa1dec1e7",
    "characters many_to_many": "1b5a55cf7cd1be2d",
    "sentiment many_to_one": "f6ea406991d8c92b",
    "agreement many_to_one": "2267a64f4a4ea7cf",
    "themselves many_to_one": "5f8aabc28ffd4d62",
    "teddy many_to_many": "4bac4ac9d601a18e",
    "entities many_to_many": "3cbfc77657af33ca",
    "melody one_to_many": "6e68c384c805e2c8",
    "reverse encoder_decoder": "211b225062c612ce",
    "sort encoder_decoder": "5d0719fe84029a21",
    "addition encoder_decoder": "16fd3ce75e70a1e9",
    "dates encoder_decoder": "a2f9997c202547cb",
    "english_french encoder_decoder": "b61cab0e57a8d18a",
    "headline encoder_decoder": "cbcca07a6aa37a86",
}
"""SHA-256 of a batch. Not of next_word, whose sentences had lost words in a way of their own."""


def test_every_update_hides_words_of_its_own():
    e = Experiment(task="sentiment", rnn_type="many_to_one")
    hidden = [sample(e, 400, (seed, step)).inputs == 0 for seed, step in ((0, 1), (0, 1), (0, 2), (1, 1))]
    assert np.array_equal(hidden[0], hidden[1])
    assert not np.array_equal(hidden[0], hidden[2]) and not np.array_equal(hidden[0], hidden[3])


def test_hiding_changes_no_batch_in_place():
    batch = unhidden(Experiment(task="teddy", rnn_type="many_to_many"), 300, 1)
    before = batch.inputs.copy()
    assert (hide_words(stream(1, "hiding"), batch).inputs != before).any()
    assert np.array_equal(batch.inputs, before)


def sureness(experiment: Experiment) -> float:
    """Mean probability of the answer that a trained network chooses for reviews of unknown words alone."""
    trainer = Trainer(experiment)
    while not trainer.finished:
        trainer.advance()
    batch = held_out(experiment)
    assert trainer.metric(batch) > 0.95
    unknown = dataclasses.replace(batch, inputs=np.where(batch.inputs == NO_SYMBOL, NO_SYMBOL, 0))
    with torch.no_grad():
        return float(trainer.model.eval()(unknown).softmax(-1).amax(-1).mean())


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_trained_network_is_far_from_certain_of_unknown_words_alone(seed):
    assert sureness(Experiment(**LEARNS, seed=seed)) < FAR_FROM_CERTAIN


def test_without_hidden_words_it_would_be_certain(monkeypatch):
    monkeypatch.setattr(unknown_words, "HIDING_SHARE", 0.0)
    assert max(sureness(Experiment(**LEARNS, seed=seed)) for seed in (0, 1, 2)) > FAR_FROM_CERTAIN + 0.1


@for_each({
    "text, slug, expected": [
        ("Xyzzy: the film wasn't XYZZY, good plugh!", "sentiment", ["xyzzy", "wasn't", "plugh"]),
        ("the film was good", "sentiment", []),
        ("Ça 7!", "characters", ["ç", "7"]),
        ("", "teddy", []),
    ]
})  # fmt: skip
def test_the_typed_words_outside_the_vocabulary_are_named_once(text, slug, expected):
    assert not_in_vocabulary(text, TASKS[slug].input_labels) == expected
