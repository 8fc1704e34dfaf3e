"""Words with a tag each: an answer at every word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np

from engine.data.content import TaggedContent
from engine.data.tasks.ragged import Ragged
from engine.data.tasks.words import (
    example_of,
    frequency_losses,
    listed,
    mean_loss,
    mean_of_sequences,
    numbers_of_typed,
    origin_of,
    sides,
    title_of,
    usual_length,
)
from engine.tasks import NO_SYMBOL, OWN_DATA, Batch, Lengths, Metric, Task
from engine.tasks.base import OWN_FAMILY, DataSettings, accuracy, evenly
from engine.tasks.text_input import MAX_TYPED_STEPS, single_sequence

TOGETHER = 256  # sentences that are read at once


def _joined(sequences: Sequence[np.ndarray], rows: np.ndarray, steps: int | None = None) -> np.ndarray:
    """The first `steps` of each of these sequences one after the other, int64."""
    return np.concatenate([sequences[row][:steps] for row in rows]).astype(np.int64)


def _counts(content: TaggedContent) -> np.ndarray:
    """(vocabulary, classes) how often each word has each tag in the trained part."""
    trained, shape = np.flatnonzero(~content.held), (len(content.vocabulary), len(content.classes))
    pairs = _joined(content.words, trained) * shape[1] + _joined(content.tags, trained)
    return np.bincount(pairs, minlength=shape[0] * shape[1]).reshape(shape)


def _losses(counts: np.ndarray) -> dict[str, np.ndarray]:
    """{what is known: (vocabulary, classes) the loss of each tag for each word, in nats}. counts: as `_counts`.

    Of a word p(tag | word) = (n(word, tag) + p(tag)) / (n(word) + 1).
    """
    common = frequency_losses(counts.sum(0))
    of_word = (counts + np.exp(-common)) / (counts.sum(1, keepdims=True) + 1)
    return {
        "how common each tag is": np.broadcast_to(common, counts.shape),
        "how common each word's tags are": -np.log(of_word),
    }


def _best_first(losses: dict[str, np.ndarray], content: TaggedContent) -> dict[str, np.ndarray]:
    """The same in order of their mean over the held-out words: the first is the one to beat, in every batch."""
    rows = np.flatnonzero(content.held)
    read, asked = _joined(content.words, rows), _joined(content.tags, rows)
    return dict(sorted(losses.items(), key=lambda each: float(each[1][read, asked].mean())))


def _right(content: TaggedContent, largest: int, tags: np.ndarray, usual: np.ndarray) -> dict[str, float]:
    """{simple answer: the share of these words for which it is right}. tags, usual: (words,) the true and usual tag."""
    return {
        f"always '{content.classes[largest]}'": float((tags == largest).mean()),
        "each word's most common tag": float((tags == usual).mean()),
    }


def held_out_baselines(content: TaggedContent) -> dict[str, float]:
    """{simple answer: accuracy on all held-out words}; what it knows comes from the trained part."""
    rows = np.flatnonzero(content.held)
    return _right(
        content, int(_counts(content).sum(0).argmax()), _joined(content.tags, rows), _joined(content.usual, rows)
    )


def _dealt(words: Ragged, tags: Ragged, rows: np.ndarray, seq_len: int) -> Batch:
    """A batch of these sentences, as far as they fit."""
    inputs, lengths = words.dealt(rows, seq_len, NO_SYMBOL)
    targets, _ = tags.dealt(rows, seq_len, 0)
    return Batch(inputs, targets, np.arange(seq_len)[:, None] < lengths, lengths, origin=origin_of(rows))


def _whole(words: Ragged, tags: Ragged, rows: np.ndarray, most: int) -> Iterator[Batch]:
    """Batches of these sentences, none of them cut; of evenly chosen ones where they have more than `most` words."""
    rows = evenly(rows, max(1, len(rows) * most // max(most, int(words.lengths[rows].sum()))))
    rows = rows[np.argsort(words.lengths[rows], kind="stable")]  # of like length, so that little is padding
    for first in range(0, len(rows), TOGETHER):
        some = rows[first : first + TOGETHER]
        yield _dealt(words, tags, some, int(words.lengths[some].max()))


def tagged_task(name: str, summary: dict[str, Any], content: TaggedContent) -> Task:
    """The tag of every word; sentences are cut after seq_len words.

    Args:
        name: of the file. summary: as in a Dataset.
    """
    words, tags, usual = Ragged(content.words), Ragged(content.tags), Ragged(content.usual)
    rows_of, counts = sides(content.held), _counts(content)
    largest, losses = int(counts.sum(0).argmax()), _best_first(_losses(counts), content)

    def draw(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
        return _dealt(words, tags, rows_of[split][rng.integers(0, len(rows_of[split]), batch_size)], experiment.seq_len)

    @cache
    def everything(steps: int) -> dict[str, float]:
        rows = rows_of["test"]
        read, asked = (_joined(each, rows, steps) for each in (content.words, content.tags))
        lengths = np.minimum(words.lengths[rows], steps)
        return {known: mean_of_sequences(of[read, asked], lengths) for known, of in losses.items()}

    def losses_on(experiment: DataSettings, batch: Batch) -> dict[str, float]:
        return {known: mean_loss(of[batch.inputs, batch.targets], batch.mask) for known, of in losses.items()}

    def usual_of(batch: Batch) -> np.ndarray:
        assert batch.origin is not None
        return usual.dealt(batch.origin[:, 0], len(batch.inputs), 0)[0]

    def metric_baselines(experiment: DataSettings, batch: Batch) -> dict[str, float]:
        if batch.origin is None:
            return {}
        return _right(content, largest, batch.targets[batch.mask], usual_of(batch)[batch.mask])

    def encode(experiment: DataSettings, text: str) -> Batch:
        tokens = numbers_of_typed(text, content.vocabulary)
        return single_sequence(tokens, np.ones(len(tokens), bool))

    longest = min(MAX_TYPED_STEPS, int(words.lengths.max()))
    return Task(
        slug=OWN_DATA,
        family=OWN_FAMILY,
        title=title_of(name),
        teaches=f"Every word gets a tag: {listed(content.classes)}.",
        source=f"Your own file, {name}: {len(content.held):,} sentences, {content.held.sum():,} of them held out.",
        rnn_types=("many_to_many",),
        lengths=Lengths(1, longest, usual_length(words.lengths, longest)),
        inputs="symbols",
        outputs="symbols",
        input_labels=content.vocabulary,
        output_labels=content.classes,
        metric=Metric("accuracy", accuracy),
        draw=draw,
        held_out=lambda experiment, most: _dealt(words, tags, evenly(rows_of["test"], most), experiment.seq_len),
        baselines=lambda experiment: everything(experiment.seq_len),
        baselines_on=losses_on,
        metric_baselines=metric_baselines,
        tag_test=lambda most: ((whole, usual_of(whole)) for whole in _whole(words, tags, rows_of["test"], most)),
        encode=encode,
        asks="A sentence; every word gets a tag",
        example=example_of([content.words[row] for row in rows_of["test"]], content.vocabulary),
    )
