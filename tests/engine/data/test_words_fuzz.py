"""Whatever the texts are: a task that deals and can be typed to, or a sentence that says why not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data.kinds import labelled, pairs, tagged, text
from engine.data.problems import DataError, Notes
from engine.tasks import held_out, sample
from tests.engine.data.word_tables import experiment_of, task_for

WORD = st.text(st.sampled_from("aAbé.'<>&; \t\n\x00\ufffd漢\ud800"), max_size=6) | st.sampled_from(
    ("good", "<br />", "&amp;", ".", "․", "<UNK>", "NA", "")
)
TEXT = st.lists(WORD, max_size=8).map(" ".join)
UNIT = st.sampled_from(({}, {"unit": "words"}, {"unit": "characters"}))
FEW = settings(max_examples=20, deadline=None)


def check(kind: str, read: Callable[[Notes], tuple]) -> None:
    """Refused in a sentence, or dealt, measured and typed to."""
    notes = Notes()
    try:
        found = read(notes)
    except DataError as error:
        assert error.sentence.endswith((".", "?")) and "\n" not in error.sentence
        return
    summary = found[0]
    assert summary["train"] > 0 and summary["test"] > 0 and notes is not None
    assert all(np.isfinite(value) for value in summary["baselines"].values())
    task = task_for(kind, found)
    for length in {task.lengths.low, task.lengths.default, task.lengths.high}:
        experiment = experiment_of(task, kind, seq_len=length)
        for split in ("train", "test"):
            batch = sample(experiment, 9, 1, split)
            assert batch.mask.any(0).all() and batch.inputs.max() < task.input_size
            assert batch.targets.min() >= 0 and batch.targets.max() < task.output_size
        batch = held_out(experiment)
        assert set(task.metric_baselines(experiment, batch)) == set(summary["baselines"])
        losses = [*task.baselines(experiment).values(), *task.baselines_on(experiment, batch).values()]
        assert all(0 < loss < np.inf for loss in losses)
    assert len({*task.input_labels}) == task.input_size and len({*task.output_labels}) == task.output_size
    "".join((*task.input_labels, *task.output_labels, task.example, task.title)).encode()  # can be sent
    if task.example.strip():
        task.encode(experiment, task.example)


def lines_of(rows: list) -> np.ndarray:
    return np.arange(1, len(rows) + 1)


@FEW
@given(st.lists(st.tuples(TEXT, st.sampled_from(("a", "A", "b", "", "c"))), max_size=40), UNIT)
def test_texts_with_a_class(rows, choices):
    texts, labels = [row[0] for row in rows], [row[1] for row in rows]
    check("labelled", lambda notes: labelled.of_texts(texts, labels, lines_of(rows), notes, choices, ("t", "l")))


@FEW
@given(st.lists(st.tuples(TEXT, TEXT), max_size=40), UNIT)
def test_pairs(rows, choices):
    sources, targets = [row[0] for row in rows], [row[1] for row in rows]
    check("pairs", lambda notes: pairs.of_texts(sources, targets, lines_of(rows), notes, choices, ("s", "t")))


@FEW
@given(
    st.lists(
        st.lists(st.tuples(st.integers(1, 99), WORD, st.sampled_from(("O", "B-x", "I-x", ""))), max_size=6), max_size=30
    )
)
def test_tagged(sentences):
    check("tagged", lambda notes: tagged.of_sentences(sentences, notes, {}, "tag"))


@FEW
@given(st.lists(TEXT, max_size=60).map("\n".join), UNIT)
def test_text(body, choices):
    check("text", lambda notes: text.of_text(body, notes, choices))
