"""Pairs of texts: read the source, then write the target."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from engine.data.content import PairsContent
from engine.data.tasks.ragged import Ragged
from engine.data.tasks.words import (
    example_of,
    frequency_losses,
    mean_loss,
    mean_of_sequences,
    numbers_of_typed,
    origin_of,
    sides,
    title_of,
)
from engine.tasks import END, NO_SYMBOL, OWN_DATA, Batch, Lengths, Metric, Task
from engine.tasks.base import OWN_FAMILY, DataSettings, evenly
from engine.tasks.text_input import source_batch
from engine.tasks.transduction import end_to_end, previous
from engine.tasks.unknown_words import UNKNOWN_TOKEN

OWN_FULL_STOP = "\N{ONE DOT LEADER}"
"""The label of a full stop that is part of an answer; END, which is written the same way, ends it."""


def whole_answers(batch: Batch, outputs: np.ndarray) -> float:
    """Share of the answers that are right at every counted step; one with an unknown symbol in it never is."""
    right = (outputs.argmax(-1) == batch.targets) & (batch.targets != UNKNOWN_TOKEN)
    return float((right | ~batch.mask).all(0).mean())


def _most_common(content: PairsContent) -> np.ndarray:
    """The trained target that occurs most often and has no unknown symbol; the first of several."""
    trained = (
        each.tobytes() for each, out in zip(content.targets, content.held, strict=True) if not out and each.all()
    )
    counts = Counter(trained).most_common(1)
    return np.frombuffer(counts[0][0], np.int32) if counts else np.zeros(0, np.int32)


def _right(content: PairsContent, usual: np.ndarray, rows: np.ndarray) -> dict[str, float]:
    """{simple answer: the share of these pairs for which it is right}.

    Copying is an answer where the source is one in some pair at least; elsewhere there is nothing to beat in it.
    """
    same = float(np.mean([np.array_equal(content.targets[row], usual) for row in rows]))
    copied = {"copy the source": float(content.copies[rows].mean())} if content.copies.any() else {}
    return {**copied, "always the most common answer": same}


def held_out_baselines(content: PairsContent) -> dict[str, float]:
    """{simple answer: share of whole answers right over all held-out pairs}."""
    return _right(content, _most_common(content), np.flatnonzero(content.held))


def output_labels(vocabulary: tuple[str, ...]) -> tuple[str, ...]:
    """The symbols of answers, END last. The data's own full stop gets another label, since END is "."."""
    own = OWN_FULL_STOP
    while own in vocabulary:
        own += OWN_FULL_STOP
    return (*(own if each == END else each for each in vocabulary), END)


def _dealt(sources: Ragged, targets: Ragged, rows: np.ndarray, seq_len: int) -> Batch:
    """A batch of these pairs; the targets end with END."""
    inputs, lengths = sources.dealt(rows, seq_len, NO_SYMBOL)
    target_steps = int(targets.lengths.max())
    outputs, steps = targets.dealt(rows, target_steps, 0)
    mask = np.arange(target_steps)[:, None] < steps
    return Batch(inputs, outputs, mask, lengths, previous(outputs, mask), origin_of(rows))


def pairs_task(name: str, summary: dict[str, Any], content: PairsContent) -> Task:
    """The target, symbol by symbol, and END; only pairs whose source has at most seq_len symbols are dealt.

    Args:
        name: of the file. summary: as in a Dataset.
    """
    labels, rows_of, usual = output_labels(content.target_vocabulary), sides(content.held), _most_common(content)
    answers = [np.append(each, len(labels) - 1) for each in content.targets]  # and END
    sources, targets = Ragged(content.sources), Ragged(answers)
    target_steps, longest = int(targets.lengths.max()), int(sources.lengths.max())
    # In order of the source's length, so that those that fit are the first ones.
    rows_of = {split: rows[np.argsort(sources.lengths[rows], kind="stable")] for split, rows in rows_of.items()}
    ordered = {split: sources.lengths[rows] for split, rows in rows_of.items()}
    trained, tested = (np.concatenate([answers[row] for row in rows_of[split]]) for split in ("train", "test"))
    losses = frequency_losses(np.bincount(trained, minlength=len(labels)))
    everything = {"how common each symbol is": mean_of_sequences(losses[tested], targets.lengths[rows_of["test"]])}

    def draw(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
        fitting = int(np.searchsorted(ordered[split], experiment.seq_len, side="right"))
        return _dealt(sources, targets, rows_of[split][rng.integers(0, fitting, batch_size)], experiment.seq_len)

    def held_out(experiment: DataSettings, most: int) -> Batch:
        fitting = int(np.searchsorted(ordered["test"], experiment.seq_len, side="right"))
        return _dealt(sources, targets, evenly(rows_of["test"][:fitting], most), experiment.seq_len)

    def metric_baselines(experiment: DataSettings, batch: Batch) -> dict[str, float]:
        return {} if batch.origin is None else _right(content, usual, batch.origin[:, 0])

    shortest = int(max(ordered["train"][0], ordered["test"][0]))
    return Task(
        slug=OWN_DATA,
        family=OWN_FAMILY,
        title=title_of(name),
        teaches="Two sequences of different lengths: the network reads one to its end, then writes the other.",
        source=f"Your own file, {name}: {len(content.held):,} pairs, {content.held.sum():,} of them held out.",
        rnn_types=("encoder_decoder",),
        lengths=Lengths(shortest, longest, longest),
        inputs="symbols",
        outputs="symbols",
        input_labels=content.source_vocabulary,
        output_labels=labels,
        metric=Metric("whole answers right", whole_answers),
        draw=draw,
        held_out=held_out,
        baselines=lambda experiment: everything,
        baselines_on=lambda experiment, batch: {
            name: mean_loss(losses[batch.targets], batch.mask) for name in everything
        },
        metric_baselines=metric_baselines,
        lag=end_to_end,
        target_steps=lambda experiment: target_steps,
        encode=lambda experiment, text: source_batch(numbers_of_typed(text, content.source_vocabulary), target_steps),
        asks=f"A text to answer, as those of “{summary['source']}”",
        example=example_of([content.sources[row] for row in rows_of["test"]], content.source_vocabulary),
    )
