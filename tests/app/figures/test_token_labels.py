"""The words below the time axis."""

from __future__ import annotations

import dataclasses

import numpy as np

from app.figures import token_labels
from engine.tasks import TASKS
from tests.app.figures.conftest import seen
from tests.cases import for_each


def test_long_words_are_slanted_and_have_room():
    info, _, _ = seen("sentiment-many_to_one-gru")
    short, long = (token_labels.ticks(info, [word] * info.time_steps) for word in ("not", "wonderful"))
    assert short["layout.xaxis.tickangle"] == 0 > long["layout.xaxis.tickangle"]
    assert short["layout.margin.b"] < long["layout.margin.b"] < 80


def test_a_label_is_never_taken_for_markup():
    info, frame, _ = seen("sentiment-many_to_one-gru")
    inputs = np.full_like(frame.inputs, info.input_labels.index("<UNK>"))
    assert set(token_labels.inputs(info, dataclasses.replace(frame, inputs=inputs))) == {"&lt;UNK&gt;", ""}


@for_each({"slug": TASKS})
def test_every_task_has_words_or_numbers_at_every_step(slug):
    for kind in TASKS[slug].rnn_types:
        case = f"{slug}-{kind}-gru"
        info, frame, _ = seen(case)
        assert len(token_labels.inputs(info, frame)) == len(token_labels.targets(info, frame)) == info.time_steps
        assert [bool(word) for word in token_labels.targets(info, frame)] == frame.counted.tolist()
