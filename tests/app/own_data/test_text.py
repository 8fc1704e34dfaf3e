"""Sentences of the page "Your data" that must agree with what the engine says."""

from __future__ import annotations

import math

import numpy as np

from app.data_text import best_first
from app.own_data import pictures
from app.own_data import text as own_text
from engine.data import read, reading
from engine.frame import RunInfo
from engine.tasks.base import Metric, accuracy
from tests.cases import for_each
from tests.engine.data.series_tables import waves
from tests.engine.own_data import experiment_on, labelled, series

DATASETS = (series(), labelled())


@for_each({"dataset": DATASETS, "value": [0.0, 0.004, 0.875, 0.99, 44.2, 12_345.6]})
def test_a_metric_is_written_as_in_the_playground(dataset, value: float):
    info = RunInfo.of(experiment_on(dataset))
    assert own_text.amounts([value, math.nan], info.metric) == [info.write_metric(value), "not defined"]


def test_simple_answers_that_differ_never_look_alike():
    assert own_text.amounts([1.1302, 1.1341, 1.1302, 4.5], series().to_task().metric) == [
        "1.130",
        "1.134",
        "1.130",
        "4.50",
    ]


def test_the_best_simple_answer_comes_first():
    numbers = {"a": 0.5, "b": math.nan, "c": 0.25}
    assert list(best_first(numbers, Metric("accuracy", accuracy))) == ["a", "c", "b"]
    assert list(best_first(numbers, Metric("error", accuracy, higher_is_better=False))) == ["c", "a", "b"]


def test_a_simple_answer_whose_name_is_short_says_what_it_means():
    text = read(waves(80).to_csv(index=False).encode(), name="a.csv")
    shown = pictures.baselines(text, text.to_task().metric)
    assert '<span title="Plus the mean change into this place of the period' in shown
    assert "<span>the mean of the trained part" in shown


def test_rare_words_are_explained_where_they_occur():
    text = read(("the old boat is far from the small tree. " * 60).encode(), "text", name="a.txt")
    said = own_text.explained(text, text.to_task().metric)
    assert "Perplexity:" in said and "Bigram:" in said and "Held out:" in said and "Bayes" not in said


def test_the_sentences_of_the_reader_are_known_by_its_own_words():
    assert own_text.CHOSEN == reading.CHOSEN
    walk = np.random.default_rng(0).normal(size=300).cumsum()
    made = read(("n\n" + "".join(f"{value:.3f}\n" for value in walk)).encode(), "series")
    assert any(words in each.sentence for each in made.problems for words in own_text.HONEST)
