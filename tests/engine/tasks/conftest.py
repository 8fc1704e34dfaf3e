"""What was dealt, as text, and what is left to guess in it for an answer that knows one thing and no more."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable

import numpy as np

from engine.experiment import Experiment
from engine.tasks import TASKS, Batch
from engine.tasks.base import stream


def unhidden(experiment: Experiment, count: int, seed: int | tuple[int, ...], split: str = "train") -> Batch:
    """The sequences that `sample` deals, before any word is hidden."""
    return TASKS[experiment.task].draw(stream(seed, split), experiment, count, split)


Known = Callable[[Batch, int, int], Hashable]


def least_loss(answers: Iterable[tuple[Hashable, int, float]]) -> float:
    """Nats, from (what is known, the answer, its weight) of every counted step."""
    joint: Counter = Counter()
    for known, answer, weight in answers:
        joint[known, answer] += weight
    seen: Counter = Counter()
    for (known, _), weight in joint.items():
        seen[known] += weight
    surprise = sum(-weight * math.log(weight / seen[known]) for (known, _), weight in joint.items())
    return surprise / sum(seen.values())


def answers_of(batch: Batch, known: Known) -> Iterable[tuple[Hashable, int, float]]:
    share = 1 / batch.mask.sum(0)
    for t, column in zip(*np.nonzero(batch.mask), strict=True):
        yield known(batch, t, column), int(batch.targets[t, column]), share[column]


def no_input(batch: Batch, t: int, column: int) -> Hashable:
    return None


def place(batch: Batch, t: int, column: int) -> Hashable:
    return int(t)


def symbol_now(batch: Batch, t: int, column: int) -> Hashable:
    return int(batch.inputs[t, column])


def answers_before(batch: Batch, t: int, column: int) -> Hashable:
    return tuple(batch.targets[:t, column].tolist())


def all_so_far(batch: Batch, t: int, column: int) -> Hashable:
    return tuple(batch.inputs[: t + 1, column].tolist())


def dealt(slug: str, batch: Batch) -> list[tuple[str, str]]:
    """(source, answer) of every sequence, as text."""
    task = TASKS[slug]
    columns = zip(batch.inputs.T, batch.lengths, batch.targets.T, batch.mask.T, strict=True)
    return [
        ("".join(task.input_labels[each] for each in source[:length]),
         "".join(task.output_labels[each] for each in answer[counted]))
        for source, length, answer, counted in columns
    ]  # fmt: skip
