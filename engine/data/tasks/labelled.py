"""Texts with a class each: one answer at the end."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from engine.data.content import LabelledContent
from engine.data.tasks.naive_bayes import NaiveBayes
from engine.data.tasks.ragged import Ragged
from engine.data.tasks.words import (
    example_of,
    frequency_losses,
    listed,
    numbers_of_typed,
    origin_of,
    sides,
    title_of,
    usual_length,
)
from engine.tasks import NO_SYMBOL, OWN_DATA, Batch, Lengths, Metric, Task
from engine.tasks.base import OWN_FAMILY, DataSettings, accuracy, evenly
from engine.tasks.text_input import MAX_TYPED_STEPS, single_answer


def _fitted(content: LabelledContent) -> NaiveBayes:
    trained = np.flatnonzero(~content.held)
    texts = [content.tokens[row] for row in trained]
    return NaiveBayes(texts, content.labels[trained], len(content.classes), len(content.vocabulary))


def _counts(content: LabelledContent) -> np.ndarray:
    """(classes,) how often each occurs in the trained part."""
    return np.bincount(content.labels[~content.held], minlength=len(content.classes))


def _right(content: LabelledContent, bayes: NaiveBayes, rows: np.ndarray) -> dict[str, float]:
    """{simple answer: the share of these texts for which it is right}."""
    largest = int(_counts(content).argmax())
    answers = bayes.answers([content.tokens[row] for row in rows])
    return {
        f"always '{content.classes[largest]}'": float((content.labels[rows] == largest).mean()),
        f"{content.unit} without their order (naive Bayes)": float((content.labels[rows] == answers).mean()),
    }


def held_out_baselines(content: LabelledContent) -> dict[str, float]:
    """{simple answer: accuracy on all held-out texts}; what it knows comes from the trained part."""
    return _right(content, _fitted(content), np.flatnonzero(content.held))


def labelled_task(name: str, summary: dict[str, Any], content: LabelledContent) -> Task:
    """The class of a text, asked at its last symbol.

    Args:
        name: of the file. summary: as in a Dataset.
    """
    texts, rows_of = Ragged(content.tokens), sides(content.held)
    losses = frequency_losses(_counts(content))
    everything = {"how common each class is": float(losses[content.labels[content.held]].mean())}
    bayes = cache(lambda: _fitted(content))

    def draw(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
        return deal(rows_of[split][rng.integers(0, len(rows_of[split]), batch_size)], experiment.seq_len)

    def deal(rows: np.ndarray, seq_len: int) -> Batch:
        inputs, lengths = texts.dealt(rows, seq_len, NO_SYMBOL)
        targets, mask = np.zeros_like(inputs), np.zeros(inputs.shape, bool)
        targets[lengths - 1, np.arange(len(rows))] = content.labels[rows]
        mask[lengths - 1, np.arange(len(rows))] = True
        return Batch(inputs, targets, mask, lengths, origin=origin_of(rows))

    def metric_baselines(experiment: DataSettings, batch: Batch) -> dict[str, float]:
        return {} if batch.origin is None else _right(content, bayes(), batch.origin[:, 0])

    longest = min(MAX_TYPED_STEPS, int(texts.lengths.max()))
    return Task(
        slug=OWN_DATA,
        family=OWN_FAMILY,
        title=title_of(name),
        teaches=f"One answer for a text: {listed(content.classes)}.",
        source=f"Your own file, {name}: {len(content.held):,} texts, {content.held.sum():,} of them held out.",
        rnn_types=("many_to_one",),
        lengths=Lengths(1, longest, usual_length(texts.lengths, longest)),
        inputs="symbols",
        outputs="symbols",
        input_labels=content.vocabulary,
        output_labels=content.classes,
        metric=Metric("accuracy", accuracy),
        draw=draw,
        held_out=lambda experiment, most: deal(evenly(rows_of["test"], most), experiment.seq_len),
        baselines=lambda experiment: everything,
        baselines_on=lambda experiment, batch: {
            name: float(losses[batch.targets[batch.mask]].mean()) for name in everything
        },
        metric_baselines=metric_baselines,
        encode=lambda experiment, text: single_answer(numbers_of_typed(text, content.vocabulary)),
        asks=f"A text: {listed(content.classes)}?",
        example=example_of([content.tokens[row] for row in rows_of["test"]], content.vocabulary),
    )
