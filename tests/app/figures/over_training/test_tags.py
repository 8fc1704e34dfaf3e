"""The accuracy of each tag: which bars, in which order, beside which simple answer."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.figures import FIGURES, Curves, applicable
from engine.data import read
from engine.data.defaults import defaults
from engine.frame.readings import TagAccuracies
from engine.recording.history import History
from engine.training import Trainer
from tests.app.figures.conftest import decoded, f4, patched
from tests.engine.data.test_words_tagged import corpus
from tests.engine.own_data import experiment_on, labelled, series

FIGURE = FIGURES["tags"]


@pytest.fixture(scope="module")
def trained():
    file = "\n\n".join("\n".join(f"{word} {tag}" for _, word, tag in sentence) for sentence in corpus(60, 2))
    trainer = Trainer(defaults(read(file.encode(), "tagged", name="people.conll")).replace(hidden_size=3))
    return trainer.info, trainer.frame(["tags"]), Curves(History().updates(), History().looks())


def test_it_is_there_where_words_are_tagged(trained):
    assert "tags" in applicable(trained[0])
    for dataset in (series(), labelled()):
        assert "tags" not in applicable(Trainer(experiment_on(dataset)).info)


def test_the_most_common_tag_stands_above_with_both_shares(trained):
    info, frame, curves = trained
    drawn = patched(decoded(FIGURE.template(info).to_plotly_json()), FIGURE.patch(info, frame, curves))
    order = np.argsort(-frame.tags.words, kind="stable")
    names = [info.output_labels[tag] for tag in order]
    assert list(drawn["layout"]["yaxis"]["ticktext"]) == names and names[0] == "O"
    network, usual = drawn["data"]
    assert np.array_equal(network["x"], f4(frame.tags.network[order]))
    assert np.array_equal(usual["x"], f4(frame.tags.usual[order]))
    assert network["customdata"][0] == f"O, {frame.tags.words[order[0]]} words"
    assert drawn["layout"]["yaxis"]["range"][0] > drawn["layout"]["yaxis"]["range"][1], "the first one is above"


def test_the_readout_names_the_lowest_and_no_tag_without_words(trained):
    info, frame, curves = trained
    unseen = np.arange(len(info.output_labels)) == 0
    tags = TagAccuracies(np.where(unseen, 0, 7), np.where(unseen, np.nan, 0.5), np.where(unseen, np.nan, 0.504))
    frame = dataclasses.replace(frame, tags=tags)
    said = FIGURE.readout(info, frame)
    assert said == f"lowest: {info.output_labels[1]} 50.0% · each word's most common tag: 50.4%"
    assert FIGURE.patch(info, dataclasses.replace(frame, tags=None), curves) == {}
