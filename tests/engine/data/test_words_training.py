"""A network of each kind of words trains, is looked at, and answers what a person types."""

from __future__ import annotations

import random

import numpy as np
import pytest

from engine.ask.answering import answer
from engine.ask.question import Question, ends_itself
from engine.ask.unknown_input import unknown_input
from engine.data.kinds import labelled, pairs, tagged, text
from engine.data.problems import Notes
from engine.tasks import END
from engine.tasks.next_character import ALICE
from engine.training import Trainer
from tests.engine.data.test_words_pairs import phrases
from tests.engine.data.test_words_tagged import corpus
from tests.engine.data.word_tables import experiment_of, task_for

CHANCE = random.Random(0)
REVIEWS = [
    " ".join(CHANCE.choices(["film", "story", "good", "bad", "not", "very", "the"], k=CHANCE.randint(2, 8)))
    for _ in range(80)
]
CLASSES = ["good" if "good" in each else "bad" for each in REVIEWS]
READ = {
    "text": lambda: text.of_text(ALICE.read_text(encoding="utf-8")[:6_000], Notes(), {}),
    "labelled": lambda: labelled.of_texts(REVIEWS, CLASSES, np.arange(80), Notes(), {}, ("text", "label")),
    "pairs": lambda: pairs.of_texts(*phrases(200), np.arange(200), Notes(), {}, ("source", "target")),
    "tagged": lambda: tagged.of_sentences(corpus(60), Notes(), {}, "tag"),
}
TYPED = {"text": "Alice was ", "labelled": "a good film", "pairs": "cat 3 quokka", "tagged": "Anna saw Florence ."}


@pytest.mark.parametrize("kind", READ)
def test_five_updates_a_frame_and_a_typed_sentence(kind):
    read = READ[kind]()
    task = task_for(kind, read)
    settings = {"bidirectional": True} if kind == "tagged" else {"seq_len": 12} if kind == "text" else {}
    trainer = Trainer(experiment_of(task, kind, cell="gru", embedding_size=4, **settings))
    for _ in range(5):
        trainer.advance()
    frame = trainer.frame()
    assert frame.step == 5 and np.isfinite(frame.probe_loss)
    assert set(task.metric_baselines(trainer.experiment, trainer.probe)) == set(read[0]["baselines"])
    assert trainer.metric(trainer.probe) >= 0
    typed = trainer.typed_frame({}, sentence=TYPED[kind])
    words = task.encode(trainer.experiment, TYPED[kind]).inputs[:, 0]
    assert typed.frame.inputs[: len(words)].tolist() == words.tolist() and np.isfinite(typed.frame.probe_loss)
    question = Question(text=TYPED[kind], steps=4 if kind == "text" else 0)
    said = answer(trainer.model, question, 5)
    assert len(said.generated) == (4 if kind == "text" else len(said.generated))
    if kind in ("pairs", "tagged"):
        unknown = unknown_input(trainer.experiment, said)
        assert unknown is not None and unknown.words == (("quokka",) if kind == "pairs" else ("florence",))
    held = answer(trainer.model, Question(example=3), 5)
    assert len(held.inputs)


def test_the_answer_of_a_pair_ends_itself():
    task = task_for("pairs", READ["pairs"]())
    experiment = experiment_of(task, "pairs")
    assert ends_itself(experiment)
    trainer = Trainer(experiment)
    said = answer(trainer.model, Question(text="cat 3 dog"), 0)
    end = task.output_labels.index(END)
    assert len(said.generated) <= task.target_steps(experiment) and end not in said.generated[:-1]
    running = task_for("text", READ["text"]())
    assert not ends_itself(experiment_of(running, "text"))  # its full stop is a symbol like any other


def test_an_empty_text_asks_what_comes_first():
    task = task_for("text", READ["text"]())
    trainer = Trainer(experiment_of(task, "text", seq_len=12))
    said = answer(trainer.model, Question(text=""), 0)
    assert said.read_nothing and said.outputs.shape == (1, task.output_size)
