"""What sequences of somebody's own ask: the class of each, or the next step."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from engine.data.content import SequencesContent
from engine.data.tasks.words import frequency_losses, origin_of, sides, title_of
from engine.tasks import OWN_DATA, PROBE_SIZE, Batch, Lengths, Metric, Task
from engine.tasks.base import OWN_FAMILY, DataSettings, accuracy, evenly, stream

MAX_STEPS = 1_000  # that a network is given to read
STEP_BEFORE, MEAN_STEP = "the step before", "the mean of the trained part"


def sequences_task(name: str, summary: dict[str, Any], content: SequencesContent) -> Task:
    """The class of each sequence, asked at its last step; without classes, the next step at every step."""
    dealt = _Dealt(content)
    longest = min(MAX_STEPS, max(map(len, content.arrays)))
    common: dict[str, Any] = {
        "slug": OWN_DATA,
        "family": OWN_FAMILY,
        "title": title_of(name),
        "source": f"Real: {name}. {summary['test']:,} of {len(content.arrays):,} sequences are held out.",
        "inputs": "values",
        "input_labels": content.channels,
        "draw": dealt.draw,
        "held_out": dealt.held_out,
        "baselines": dealt.baselines,
        "baselines_on": dealt.baselines_on,
        "simple_answers": dealt.simple_answers,
        "metric_baselines": dealt.metric_baselines,
    }
    if content.labels is not None:
        return Task(
            **common,
            teaches="Which class a whole sequence belongs to. The answer comes at its end.",
            rnn_types=("many_to_one",),
            lengths=Lengths(1, longest, longest),
            outputs="symbols",
            output_labels=content.classes,
            metric=Metric("accuracy", accuracy),
        )
    unit = "" if len(content.channels) == 1 else ", in standard deviations"
    return Task(
        **common,
        teaches="How each sequence goes on: the next step, after every step.",
        rnn_types=("many_to_many",),
        lengths=Lengths(2, longest, longest),
        outputs="values",
        output_labels=content.channels,
        metric=Metric(f"mean absolute error{unit}", dealt.error, percent=False, higher_is_better=False, solved=0.0),
        causal=True,
        continues=True,
    )


def held_out_baselines(content: SequencesContent) -> dict[str, float]:
    """The task's `metric_baselines` on all held-out sequences, each in its whole length."""
    dealt = _Dealt(content)
    return dealt.metric_baselines_of(dealt.batch(dealt.pools["test"], max(map(len, content.arrays))))


def scaled(array: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """A sequence in standard deviations from the trained mean. A missing value is the last one before, else the mean.

    Args:
        array: (T, channels), NaN where missing. mean, sd: (channels,).

    Returns:
        (T, channels) float32.
    """
    values = (array - mean) / sd
    last = np.where(np.isnan(values), -1, np.arange(len(values))[:, None])
    last = np.maximum.accumulate(last, axis=0)
    held = np.take_along_axis(values, np.maximum(last, 0), axis=0)
    return np.where(last < 0, 0.0, held).astype(np.float32)


class _Dealt:
    """Batches of the sequences, and what simple answers are worth on them."""

    def __init__(self, content: SequencesContent) -> None:
        self.content = content
        self.arrays = [scaled(array, content.mean, content.sd) for array in content.arrays]
        self.known = [~np.isnan(array).any(1) for array in content.arrays]
        usable = np.ones(len(self.arrays), bool)
        if content.labels is None:  # what has no second known step asks nothing
            self.first = np.array([first_answer(known) for known in self.known])
            usable = self.first > 0
        self.pools = {split: rows[usable[rows]] for split, rows in sides(content.held).items()}

    # ---- batches

    def draw(self, rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
        return self.batch(rng.choice(self._asked(split, experiment.seq_len), batch_size), experiment.seq_len)

    def held_out(self, experiment: DataSettings, most: int) -> Batch:
        return self.batch(evenly(self._asked("test", experiment.seq_len), most), experiment.seq_len)

    def _asked(self, split: str, seq_len: int) -> np.ndarray:
        """The sequences of which something is asked within these steps; all of them if there is none."""
        pool = self.pools[split]
        if self.content.labels is not None:
            return pool
        asked = pool[self.first[pool] <= seq_len]
        return asked if len(asked) else pool

    def batch(self, chosen: np.ndarray, seq_len: int) -> Batch:
        """The first steps of these sequences.

        Args:
            chosen: (n,) their numbers. seq_len: steps of the batch.
        """
        count = len(chosen)
        inputs = np.zeros((seq_len, count, len(self.content.channels)), np.float32)
        lengths = np.array([min(seq_len, len(self.arrays[at])) for at in chosen], np.int64)
        for column, at in enumerate(chosen):
            inputs[: lengths[column], column] = self.arrays[at][:seq_len]
        origin = origin_of(chosen)
        if self.content.labels is None:
            return Batch(inputs, *self._next_steps(chosen, seq_len), lengths, origin=origin)
        targets, mask = np.zeros((seq_len, count), np.int64), np.zeros((seq_len, count), bool)
        ends = (lengths - 1, np.arange(count))
        targets[ends], mask[ends] = self.content.labels[chosen], True
        return Batch(inputs, targets, mask, lengths, origin=origin)

    def _next_steps(self, chosen: np.ndarray, seq_len: int) -> tuple[np.ndarray, np.ndarray]:
        """Targets, the step after each, and the mask: where it is there and known in all channels."""
        targets = np.zeros((seq_len, len(chosen), len(self.content.channels)), np.float32)
        mask = np.zeros((seq_len, len(chosen)), bool)
        for column, at in enumerate(chosen):
            following = self.arrays[at][1 : seq_len + 1]
            targets[: len(following), column] = following
            mask[: len(following), column] = self.known[at][1 : seq_len + 1]
        return targets, mask

    # ---- simple answers

    def baselines(self, experiment: DataSettings) -> dict[str, float]:
        """On the run's own probe."""
        return self.baselines_on(
            experiment, self.draw(stream((experiment.seed, 0), "test"), experiment, PROBE_SIZE, "test")
        )

    def baselines_on(self, experiment: DataSettings, batch: Batch) -> dict[str, float]:
        """In nats, or in squared standard deviations."""
        if self.content.labels is None:
            errors = {name: (answer - batch.targets)[batch.mask] for name, answer in self._answers(batch).items()}
            return {name: float((error**2).mean(dtype=np.float64)) for name, error in errors.items()}
        losses = frequency_losses(self._class_counts())
        return {"how common each class is": float(losses[batch.targets[batch.mask]].mean())}

    def simple_answers(self, experiment: DataSettings, batch: Batch) -> dict[str, np.ndarray]:
        """Of sequences that ask for their next step; classes have none."""
        return self._answers(batch) if self.content.labels is None else {}

    def metric_baselines(self, experiment: DataSettings, batch: Batch) -> dict[str, float]:
        return self.metric_baselines_of(batch)

    def metric_baselines_of(self, batch: Batch) -> dict[str, float]:
        """Accuracy of the largest class, or errors as in `error`."""
        if self.content.labels is None:
            return {name: self.error(batch, answer) for name, answer in self._answers(batch).items()}
        largest = int(self._class_counts().argmax())
        right = batch.targets[batch.mask] == largest
        return {f"always '{self.content.classes[largest]}'": float(right.mean())}

    def error(self, batch: Batch, outputs: np.ndarray) -> float:
        """Mean absolute error: of one channel in the data's unit, of several in standard deviations."""
        unit = self.content.sd if len(self.content.channels) == 1 else 1.0
        return float((np.abs(outputs - batch.targets)[batch.mask] * unit).mean(dtype=np.float64))

    def _class_counts(self) -> np.ndarray:
        assert self.content.labels is not None
        return np.bincount(self.content.labels[~self.content.held], minlength=len(self.content.classes))

    def _answers(self, batch: Batch) -> dict[str, np.ndarray]:
        answers = {STEP_BEFORE: batch.inputs, MEAN_STEP: np.zeros_like(batch.inputs)}
        return answers if self._persists else dict(reversed(answers.items()))

    @cached_property
    def _persists(self) -> bool:
        """The step before is the better answer in the trained part: the first is the one to beat, in every batch."""
        steps = [
            (values, known)
            for values, known, out in zip(self.arrays, self.known, self.content.held, strict=True)
            if not out
        ]
        before = sum(float((np.diff(values, axis=0)[known[1:]] ** 2).sum()) for values, known in steps)
        mean = sum(float((values[1:][known[1:]] ** 2).sum()) for values, known in steps)
        return before <= mean


def first_answer(known: np.ndarray) -> int:
    """The first step after step 0 that is known, 0 if there is none. known: (T,) bool."""
    answers = np.flatnonzero(known[1:])
    return int(answers[0]) + 1 if len(answers) else 0
