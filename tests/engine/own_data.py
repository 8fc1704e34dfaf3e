"""Two small made-up datasets of somebody's own, with tasks as simple as can be: numbers over time, labelled texts.

A worker process unpickles them by the name of this file, so they train there without the kinds of `engine.data`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.data import Dataset
from engine.data.content import LabelledContent, OneSeries, SeriesContent
from engine.experiment import Experiment
from engine.tasks import OWN_DATA, Batch, Task, register
from engine.tasks.base import Lengths, Metric, accuracy, full_lengths, last_step_only
from engine.tasks.own import known
from engine.tasks.unknown_words import UNKNOWN

WINDOW = 5


def series_task(name: str, summary: dict[str, Any], content: SeriesContent) -> Task:
    """Next value of one series; the answer is the difference from the value before, errors are in units."""
    (series,) = content.series
    values = series.values[:, 0]

    def draw(rng: np.random.Generator, experiment: Any, count: int, split: str) -> Batch:
        steps = experiment.seq_len
        low, high = (steps + 1, series.cut) if split == "train" else (series.cut, len(values))
        ends = rng.integers(low, high, count)  # what is asked at the last step
        at = ends - steps + np.arange(steps)[:, None]  # (T, batch)
        origin = np.stack([np.zeros(count, np.int64), at[0]], axis=1)
        change, target = values[at] - values[at - 1], values[at + 1] - values[at]
        mask = last_step_only(steps, count) if experiment.rnn_type == "many_to_one" else np.ones((steps, count), bool)
        return Batch(change[..., None].astype(np.float32), target[..., None].astype(np.float32), mask,
                     full_lengths(steps, count), origin=origin)  # fmt: skip

    def error(batch: Batch, outputs: np.ndarray) -> float:
        assert batch.origin is not None, "without it there are no levels"
        return float(np.abs(outputs - batch.targets)[batch.mask].mean())

    def on(experiment: Any, batch: Batch) -> dict[str, float]:
        return {"the value before": float((batch.targets[batch.mask] ** 2).mean())}

    def in_units(experiment: Any, batch: Batch) -> dict[str, float]:
        drift = (values[series.cut - 1] - values[0]) / (series.cut - 1)
        return {
            "the value before": float(np.abs(batch.targets[batch.mask]).mean()),
            "the usual change": float(np.abs(batch.targets[batch.mask] - drift).mean()),
            "a season before": float("nan"),
        }

    return Task(
        slug=OWN_DATA, family="Your data", title=name, teaches=f"Your file {name}.", source="Your own file.",
        rnn_types=("many_to_many", "many_to_one"), lengths=Lengths(2, 8, content.window), inputs="values",
        outputs="values", input_labels=content.channels, output_labels=content.channels[:1],
        metric=Metric(f"mean absolute error of {content.channels[0]}", error, False, False, 0.01), draw=draw,
        baselines=lambda experiment: {"the value before": 1.0}, baselines_on=on, metric_baselines=in_units, causal=True,
    )  # fmt: skip


def labelled_task(name: str, summary: dict[str, Any], content: LabelledContent) -> Task:
    """The class of a text, after its last word."""
    sides = {"train": np.flatnonzero(~content.held), "test": np.flatnonzero(content.held)}

    def draw(rng: np.random.Generator, experiment: Any, count: int, split: str) -> Batch:
        chosen, steps = rng.choice(sides[split], count), experiment.seq_len
        inputs, mask = np.full((steps, count), -1, np.int64), np.zeros((steps, count), bool)
        targets, lengths = np.zeros((steps, count), np.int64), np.zeros(count, np.int64)
        for place, text in enumerate(chosen):
            read = content.tokens[text][:steps]
            lengths[place] = len(read)
            inputs[: len(read), place] = read
            targets[len(read) - 1, place], mask[len(read) - 1, place] = content.labels[text], True
        return Batch(inputs, targets, mask, lengths, origin=np.stack([chosen, np.zeros_like(chosen)], axis=1))

    def encode(experiment: Any, text: str) -> Batch:
        words = text.split()
        if not words:
            raise ValueError("Type some words.")
        known_words = [content.vocabulary.index(word) if word in content.vocabulary else 0 for word in words]
        mask = np.zeros((len(words), 1), bool)
        mask[-1] = True
        return Batch(np.array(known_words)[:, None], np.zeros((len(words), 1), np.int64), mask, np.array([len(words)]))

    def shares(experiment: Any, batch: Batch) -> dict[str, float]:
        common = np.bincount(content.labels[~content.held]).argmax()
        return {"always the largest class": float((batch.targets[batch.mask] == common).mean())}

    return Task(
        slug=OWN_DATA, family="Your data", title=name, teaches=f"Your file {name}.", source="Your own file.",
        rnn_types=("many_to_one",), lengths=Lengths(1, 8, 6), inputs="symbols", outputs="symbols",
        input_labels=content.vocabulary, output_labels=content.classes, draw=draw,
        metric=Metric("accuracy", accuracy, solved=-np.inf),
        baselines=lambda experiment: {"how common each class is": float(np.log(2))}, metric_baselines=shares,
        encode=encode, asks="Type a text", example="good film",
    )  # fmt: skip


TASKS = {"series": series_task, "labelled": labelled_task}


@dataclass(frozen=True, eq=False)
class MadeUp(Dataset):
    """A dataset whose task is made by this file."""

    def to_task(self) -> Task:
        task = TASKS[self.kind](self.name, self.summary, self.content)
        return known(self.options, self.name) or register(
            self.options, dataclasses.replace(task, made_of=self), self.name
        )


class Broken(MadeUp):
    """One that no worker can make a task of; here, where it is submitted, it can."""

    here = False

    def to_task(self) -> Task:
        if not type(self).here:
            raise ValueError("the numbers are gone")
        return super().to_task()


def series(rows: int = 60, kind: type[MadeUp] = MadeUp, fingerprint: str = "5e41e5") -> MadeUp:
    """A wave that grows, one value a month; the last 20 are held out."""
    month = np.arange(rows)
    values = np.sin(month / 2) + 0.05 * month
    times = np.datetime64("2001-01") + month.astype("timedelta64[M]")
    one = OneSeries("", values[:, None], times.astype("datetime64[s]"), month + 2, rows - 20)
    content = SeriesContent((one,), ("sales",), "month", 12, WINDOW, 1, "differences", False)
    summary = {"rows": rows, "sequences": rows - WINDOW, "target": "sales", "baselines": {"the value before": 0.4}}
    return kind("series", "sales.csv", fingerprint, summary, (), {"target": "sales"}, content)


def labelled(texts: int = 60) -> MadeUp:
    """Texts of two to five words, good if "good" is in them."""
    rng = np.random.default_rng(0)
    vocabulary = (UNKNOWN, "good", "bad", "film", "very", "slow")
    labels = np.arange(texts) % 2
    tokens = tuple(
        np.concatenate([rng.integers(3, 6, int(rng.integers(1, 5))), [2 - label]]).astype(np.int32) for label in labels
    )
    content = LabelledContent(
        tokens, labels, ("bad", "good"), np.arange(texts) % 3 == 0, np.arange(texts) + 2, vocabulary, "words"
    )
    return MadeUp("labelled", "reviews.csv", "1abe11ed", {"rows": texts}, (), {}, content)


def experiment_on(dataset: Dataset, **settings: Any) -> Experiment:
    """A small network on these data."""
    task = dataset.to_task()
    small = {"hidden_size": 4, "batch_size": 4, "rnn_type": task.rnn_types[0], "steps": 1_000_000}
    return Experiment(task=OWN_DATA, task_options=dataset.options, **{**small, **settings})
