"""The accuracy of each tag, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from engine.data import read
from engine.data.defaults import defaults
from engine.experiment import Experiment
from engine.lens import tag_accuracies
from engine.lens.forward_trace import trace_forward
from engine.lens.tag_accuracies import _answers
from engine.model import build
from engine.tasks import Batch, probe, task_of
from tests.engine.data.test_words_tagged import corpus

FILE = "\n\n".join("\n".join(f"{word} {tag}" for _, word, tag in sentence) for sentence in corpus(200, 2))
DATASET = read(FILE.encode(), "tagged", name="people.conll")


def reading(experiment: Experiment):
    return tag_accuracies.read(trace_forward(build(experiment), probe(experiment)), None)


def test_each_tag_has_the_share_of_its_words_that_got_it(monkeypatch):
    experiment = defaults(DATASET).replace(hidden_size=3, seq_len=2)
    content, model, task = DATASET.content, build(experiment), task_of(experiment)
    rows, found = np.flatnonzero(content.held), reading(experiment)
    tags = np.concatenate([content.tags[row] for row in rows])
    usual = np.concatenate([content.usual[row] for row in rows])
    assert found.words.tolist() == np.bincount(tags, minlength=task.output_size).tolist()
    assert found.words.sum() > experiment.seq_len * len(rows), "sentences are read whole, however long they are"
    whole = [Batch(content.words[row][:, None].astype(np.int64), content.tags[row][:, None].astype(np.int64),
                   np.ones((len(content.words[row]), 1), bool), np.array([len(content.words[row])]))
             for row in rows]  # fmt: skip
    answers = np.concatenate([_answers(model, batch)[:, 0] for batch in whole])
    for tag in range(task.output_size):
        if (tags == tag).any():
            assert found.network[tag] == pytest.approx((answers == tag)[tags == tag].mean())
            assert found.usual[tag] == pytest.approx((usual == tag)[tags == tag].mean())
        else:
            assert np.isnan(found.network[tag]) and np.isnan(found.usual[tag])
    assert np.nansum(found.usual * found.words) / found.words.sum() == pytest.approx(
        DATASET.summary["baselines"]["each word's most common tag"]
    )


def test_of_very_many_words_those_of_evenly_chosen_sentences_are_read(monkeypatch):
    monkeypatch.setattr(tag_accuracies, "MOST_WORDS", 30)
    words = reading(defaults(DATASET)).words.sum()
    assert 10 <= words <= 60 < sum(map(len, DATASET.content.tags))


def test_a_task_without_tags_has_none():
    assert reading(Experiment(hidden_size=3, seq_len=5)) is None
