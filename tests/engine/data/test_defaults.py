"""What is tried first on somebody's own data, and how much memory they take."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from engine.data import KINDS
from engine.data import tasks as data_tasks
from engine.data.content import SeriesContent
from engine.data.dataset import Dataset
from engine.data.defaults import DEFAULTS, EMBEDDING, defaults
from engine.data.size import size_of
from engine.experiment import CHOICES, RANGES, ExperimentError
from engine.tasks import Task
from tests.engine import own_data
from tests.engine.own_data import labelled, series


def test_every_kind_has_settings_that_exist():
    assert set(DEFAULTS) == set(KINDS)
    for settings in DEFAULTS.values():
        assert all(value in CHOICES[name] if name in CHOICES else RANGES[name].holds(value)
                   for name, value in settings.items())  # fmt: skip


def test_they_fit_the_data():
    e = defaults(series())
    assert (e.cell, e.hidden_size, e.noise, e.batch_size, e.learning_rate, e.steps) == ("gru", 32, 0.3, 32, 0.003, 1000)
    assert e.seq_len == own_data.WINDOW and e.task_options == series().options
    texts = defaults(labelled())
    assert (texts.rnn_type, texts.cell, texts.embedding_size) == ("many_to_one", "lstm", 32)


def asking_for(monkeypatch: pytest.MonkeyPatch, **changes: object) -> Dataset:
    """A text dataset whose task differs by this."""

    def make(name: str, summary: object, content: SeriesContent) -> Task:
        words = tuple(f"word {number}" for number in range(5000))
        task = own_data.labelled_task(name, {}, labelled().content)
        return dataclasses.replace(task, input_labels=words, output_labels=words, **changes)

    monkeypatch.setitem(data_tasks.MAKERS, "text", make)
    made = series(fingerprint=str(sorted(changes)))
    return Dataset("text", *(getattr(made, each.name) for each in dataclasses.fields(Dataset)[1:]))


def test_many_symbols_get_an_embedding_and_an_update_costs_what_it_may(monkeypatch):
    few = defaults(asking_for(monkeypatch))
    assert few.embedding_size == EMBEDDING and few.rnn_type == "many_to_one" and few.batch_size == 32
    long = own_data.Lengths(1, 1000, 800)
    assert defaults(asking_for(monkeypatch, lengths=long)).batch_size == 8, "32 and 16 would cost too much"
    endless = {"lengths": long, "target_steps": lambda _: 10**6}
    with pytest.raises(ExperimentError, match="one update needs at most"):
        defaults(asking_for(monkeypatch, **endless))


def test_the_size_is_that_of_the_arrays_and_a_little_more():
    small, large = size_of(series(60)), size_of(series(100_060))
    assert large - small == 100_000 * (8 + 8 + 8), "a value, a time, a line"
    texts = labelled().content
    arrays = sum(each.nbytes for each in (*texts.tokens, texts.labels, texts.held, texts.lines))
    assert arrays < size_of(labelled()) < arrays + 60 * 200 + 5000
    assert np.isfinite(size_of(series()))
