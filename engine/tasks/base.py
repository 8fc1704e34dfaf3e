"""The types of a task and of the batches drawn from it. NumPy only."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from engine.tasks.batch import Batch
from engine.tasks.forecast import Forecast, Predict

NO_SYMBOL = -1
"""Stands for no token (before the first one, or in padding): the input is the zero vector."""
NO_ANSWER = -1
"""Stands for a target that the inputs alone do not determine."""
END = "."
"""The symbol that ends a sequence."""

PROBE_SIZE = 16
"""Number of sequences in the probe batch, which is held out and fixed for the run."""
HELD_OUT_SIZE, MOST_HELD_OUT = 256, 512
"""Number of sequences on which a run is judged; at most so many where a task chooses them itself."""
SPLITS = ("train", "test")
STREAMS = (*SPLITS, "hiding", "choosing", "shortening")
"""What random numbers are drawn for: the sequences of either split, which words are hidden in training, which
sequences of a fixed training set are a batch, and how long sequences are."""
OWN_FAMILY = "Your data"
Passages = list[tuple[np.ndarray, np.ndarray, np.ndarray]]
"""Whole texts or series: the inputs, the targets and whether there is a loss, one of each a step."""
FAMILIES = ("Classics", "Text", "Series", "Speech", "Music", "Images", "Sequence to sequence", OWN_FAMILY)


class DataSettings(Protocol):
    """The settings that a task's data depends on. An `Experiment` has them; a task reads nothing else of a run."""

    @property
    def task(self) -> str:
        """The task's slug."""

    @property
    def task_options(self) -> dict[str, Any]:
        """Which data, where the task is somebody's own; else empty."""

    @property
    def definition(self) -> Task:
        """The task itself."""

    @property
    def rnn_type(self) -> str:
        """One of the task's `rnn_types`."""

    @property
    def seq_len(self) -> int:
        """Steps of the input sequence."""

    @property
    def shortest(self) -> int:
        """Steps of the shortest input sequence, whose lengths vary up to seq_len; 0: all have seq_len."""

    @property
    def horizon(self) -> int:
        """How many steps ahead the value lies that a series is asked for; 1 for every task that has no `ahead`."""

    @property
    def time_steps(self) -> int:
        """Steps of the whole time axis: warm_up and seq_len, then the target side of an encoder-decoder."""

    @property
    def warm_up(self) -> int:
        """Steps that held-out sequences have before the seq_len ones that count, for a state that is carried on."""

    @property
    def seed(self) -> int:
        """The run's seed; some tasks draw their fixed material from it."""

    @property
    def bug(self) -> str:
        """The bug with which the run reads its batches (`engine.tasks.bugs`); "none" for a sound one."""


def stream(seed: int | tuple[int, ...], purpose: str) -> np.random.Generator:
    """A random generator that depends on the seed and the purpose, one of STREAMS, alone.

    A tuple gives independent streams.
    """
    parts = seed if isinstance(seed, tuple) else (seed,)
    # NumPy pads seeds with zeros, so (5,) and (5, 0) would be one stream: the length keeps them apart.
    return np.random.default_rng([STREAMS.index(purpose), len(parts), *parts])


@dataclass(frozen=True)
class Lengths:
    """Shortest, longest and default seq_len of a task."""

    low: int
    high: int
    default: int


@dataclass(frozen=True)
class Metric:
    """A measure of quality that is easier to judge than the loss. `measure(batch, outputs) -> float`.

    `solved` is the value from which on a task may count as solved, if its loss is low enough too.
    outputs: (T, batch, output_size), class probabilities or values; the metric reads them where batch.mask is True.
    Where outputs are fed back, they come from the free-running network.
    """

    name: str
    measure: Callable[[Batch, np.ndarray], float]
    percent: bool = True
    higher_is_better: bool = True
    solved: float = 0.9

    def best(self, values: Mapping[str, float]) -> str:
        """The name of the best of these values of the metric, of equally good ones the first; "" if none is finite."""
        sign = 1 if self.higher_is_better else -1
        finite = {name: sign * value for name, value in values.items() if math.isfinite(value)}
        return max(finite, key=finite.__getitem__, default="")


def first_informative(inputs: np.ndarray) -> int:
    """The first step whose input tells sequences apart: at most two thirds of them have the same there.

    What comes before, such as the white margin of an image or a starting symbol, can decide nothing. 0 if there is no
    such step.

    Args:
        inputs: (T, sequences) tokens or (T, sequences, channels).
    """
    for t, step in enumerate(inputs):
        _, counts = np.unique(step.reshape(len(step), -1), axis=0, return_counts=True)
        if counts.max() <= 2 / 3 * len(step):
            return t
    return 0


def _no_lag(experiment: DataSettings) -> int | None:
    return None


def _no_baselines(experiment: DataSettings, batch: Batch) -> dict[str, float]:
    return {}


def _no_answers(experiment: DataSettings, batch: Batch) -> dict[str, np.ndarray]:
    return {}


def _no_names(batch: Batch) -> tuple[str, ...]:
    return ()


def _no_target_side(experiment: DataSettings) -> int:
    return 0


@dataclass(frozen=True, kw_only=True)
class Task:
    """One kind of data with one question about it.

    Args:
        family: the kind of data, one of FAMILIES; lists of tasks are grouped by it.
        title: at most 22 characters. teaches: one or two sentences.
        source: "Generated: ..." or "Real: ...", where it comes from; it ends with a full stop.
        rnn_types: the RNN types under which the task makes sense.
        lengths: allowed and default seq_len.
        inputs, outputs: "symbols" (tokens, classes) or "values" (numbers).
        input_labels, output_labels: the symbols, or the names of the channels.
        draw: (rng, experiment, batch_size, split) -> Batch; split is "train" or "test".
        baselines: (experiment) -> {name: loss per counted step}; the first is the one to beat.
        baselines_on: (experiment, batch) -> the same on this batch; None if `baselines` are exact for all data.
        simple_answers: (experiment, batch) -> {name: (T, batch, output_size) answers}, where outputs are values: those
            of `baselines`, the first the one to beat, but for one that is best in squared error alone. The other losses
            are compared with theirs.
        metric_baselines: (experiment, batch) -> {name: metric} of simple answers on this batch, in the metric's unit.
        lag: (experiment) -> how many steps back the deciding input lies, over source and target; or None.
        target_steps: (experiment) -> steps of the target side of an encoder-decoder; 0 where there is none.
        image: (rows, columns) of the image in the first channels of the inputs; None where there is none.
        forecast: (predict, window, steps, series) -> what comes after the end of measured data: `window` inputs are
            read, `series` is the number of one among several. None where there is nothing to forecast.
        held_out: (experiment, most) -> the sequences on which a run is judged: each held-out answer once, or evenly
            chosen ones if there are more. None where they are drawn as the probe is.
        step_names: (batch) -> names of the steps of its first sequence, as dates; empty where they have none.
        series_names: of the measured series, in that order; empty if it is one, or none.
        audible: the outputs are notes, named like "C4", and can be played.
        causal: the target at t is a later input, so a bidirectional network reads the answer itself.
        looks_ahead: the deciding input comes only after the step that has the loss, so no one-way network can read it;
            `lag` then counts forwards. Unlike `causal`, where reading it would be cheating.
        continues: the target at t is the input at t + 1 (the same symbols, or the same channels), so the network can
            continue with its own outputs: write a text, forecast a series. Irrelevant for AUTOREGRESSIVE_TYPES, which
            always do.
        ahead: (horizon) -> this task, asked for the value so many steps ahead; None where only the next one can be
            asked. farthest: the longest horizon.
        passages: (experiment) -> the trained texts or series as wholes, each in order of time, through which a network
            can carry its state on. None where sequences have nothing to do with each other, or a scale of their own.
        shorten: (rng, batch, lengths) -> these sequences, all of the same length, with these lengths, (batch,), then
            padding. None where sequences have lengths of their own, or cannot be of any other.
        answers: the rule, (experiment, inputs) -> targets, both as in a Batch, for inputs of symbols that a person has
            changed. NO_ANSWER where the inputs do not determine the answer, and, of an encoder-decoder, after the
            answer's end; the values at steps without a loss are meaningless. None where there is no rule.
        encode: (experiment, text) -> the user's text as a batch of one sequence, prepared as in training; the mask says
            where an answer is expected, the values of its targets are meaningless. Symbols that training never saw
            become UNKNOWN_TOKEN if the task has one. Raises ValueError with a sentence if the text cannot be read. None
            if the task takes no text.
        tag_test: (most) -> batches of whole held-out sentences, about so many words, each with (T, batch) the tag that
            each word mostly has in the trained part. None where words are not tagged.
        asks: label of the text field. example: a text that `encode` can read.
        made_of: somebody's own data, which travel with a run to where it trains; None for a task of the catalogue.
    """

    slug: str
    family: str
    title: str
    teaches: str
    source: str
    rnn_types: tuple[str, ...]
    lengths: Lengths
    inputs: str
    outputs: str
    input_labels: tuple[str, ...]
    output_labels: tuple[str, ...]
    metric: Metric
    draw: Callable[[np.random.Generator, DataSettings, int, str], Batch]
    baselines: Callable[[DataSettings], dict[str, float]]
    lag: Callable[[DataSettings], int | None] = field(default=_no_lag)
    target_steps: Callable[[DataSettings], int] = field(default=_no_target_side)
    baselines_on: Callable[[DataSettings, Batch], dict[str, float]] | None = None
    simple_answers: Callable[[DataSettings, Batch], dict[str, np.ndarray]] = field(default=_no_answers)
    metric_baselines: Callable[[DataSettings, Batch], dict[str, float]] = field(default=_no_baselines)
    causal: bool = False
    looks_ahead: bool = False
    continues: bool = False
    ahead: Callable[[int], Task] | None = None
    farthest: int = 1
    passages: Callable[[DataSettings], Passages] | None = None
    shorten: Callable[[np.random.Generator, Batch, np.ndarray], Batch] | None = None
    answers: Callable[[DataSettings, np.ndarray], np.ndarray] | None = None
    encode: Callable[[DataSettings, str], Batch] | None = None
    asks: str = ""
    example: str = ""
    image: tuple[int, int] | None = None
    audible: bool = False
    forecast: Callable[[Predict, int, int, int], Forecast] | None = None
    held_out: Callable[[DataSettings, int], Batch] | None = None
    step_names: Callable[[Batch], tuple[str, ...]] = field(default=_no_names)
    series_names: tuple[str, ...] = ()
    tag_test: Callable[[int], Iterator[tuple[Batch, np.ndarray]]] | None = None
    made_of: object | None = field(default=None, repr=False, compare=False)

    @property
    def input_size(self) -> int:
        """Number of input channels, or of input symbols (the width of the one-hot code)."""
        return len(self.input_labels)

    @property
    def output_size(self) -> int:
        """Number of classes, or of values per step."""
        return len(self.output_labels)


def accuracy(batch: Batch, outputs: np.ndarray) -> float:
    """Share of the counted steps whose most probable class is the target."""
    right = outputs.argmax(-1) == batch.targets
    return float(right[batch.mask].mean())


def exact_match(batch: Batch, outputs: np.ndarray) -> float:
    """Share of the sequences whose most probable class is right at every counted step."""
    right = outputs.argmax(-1) == batch.targets
    return float((right | ~batch.mask).all(0).mean())


def within(tolerance: float) -> Callable[[Batch, np.ndarray], float]:
    """A metric: the share of the counted steps whose values lie within `tolerance` of the target."""

    def measure(batch: Batch, outputs: np.ndarray) -> float:
        near = np.abs(outputs - batch.targets).max(-1) < tolerance
        return float(near[batch.mask].mean())

    return measure


def next_inputs(experiment: DataSettings, inputs: np.ndarray) -> np.ndarray:
    """The rule of tasks whose target at t is the input at t + 1, (T, batch); NO_ANSWER after the last input."""
    last = np.full_like(inputs[:1], NO_ANSWER)
    following = np.concatenate([inputs[1:], last])
    return np.where(following == NO_SYMBOL, NO_ANSWER, following)


def last_step_only(seq_len: int, batch_size: int) -> np.ndarray:
    """(T, batch) bool: one loss, at the last step of every sequence."""
    mask = np.zeros((seq_len, batch_size), bool)
    mask[-1] = True
    return mask


def answer_mask(experiment: DataSettings, seq_len: int, batch_size: int) -> np.ndarray:
    """(T, batch) bool, the mask of sequences without padding: every step; for many_to_one the last step only."""
    if experiment.rnn_type == "many_to_one":
        return last_step_only(seq_len, batch_size)
    return np.ones((seq_len, batch_size), bool)


def beginnings(rng: np.random.Generator, batch: Batch, lengths: np.ndarray) -> Batch:
    """The first steps of each sequence, (batch,) how many, as `Task.shorten`; what comes after is padding.

    For tasks whose target at t is right whatever comes after t. One answer is asked at the new end.
    """
    steps = np.arange(len(batch.mask))[:, None]
    real, symbols = steps < lengths, batch.inputs.ndim == 2
    inputs = np.where(real, batch.inputs, NO_SYMBOL) if symbols else batch.inputs * real[..., None]
    targets = np.where(real.reshape(*real.shape, *[1] * (batch.targets.ndim - 2)), batch.targets, 0)
    mask = batch.mask & real if batch.mask[:-1].any() else steps == lengths - 1
    return Batch(inputs, targets, mask, lengths)


def evenly(items: np.ndarray, most: int) -> np.ndarray:
    """All items, or `most` of them at even distances, the first and the last among them."""
    if len(items) <= most:
        return items
    return items[np.linspace(0, len(items) - 1, most).round().astype(np.int64)]


def full_lengths(seq_len: int, batch_size: int) -> np.ndarray:
    """(batch,) int64: the lengths of sequences without padding."""
    return np.full(batch_size, seq_len, np.int64)
