"""What a task is, and the batch it deals. NumPy only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

NO_SYMBOL = -1
"""In place of a token: nothing has been read yet, the input is the zero vector."""
END = "."
"""The symbol with which a sequence ends itself."""

PROBE_SIZE = 16
"""Sequences of the probe: held out, and fixed for the run."""
SPLITS = ("train", "test")
FAMILIES = ("Classics", "Text", "Series", "Speech", "Music", "Images", "Sequence to sequence")


class DataSettings(Protocol):
    """The settings that a task's data depends on. An `Experiment` has them; a task reads nothing else of a run."""

    @property
    def task(self) -> str:
        """The task's slug."""

    @property
    def rnn_type(self) -> str:
        """One of the task's `rnn_types`."""

    @property
    def seq_len(self) -> int:
        """Steps of the input sequence."""

    @property
    def time_steps(self) -> int:
        """Steps of the whole time axis: seq_len, then the target side of an encoder-decoder."""

    @property
    def seed(self) -> int:
        """The run's seed; some tasks draw their fixed material from it."""


def stream(seed: int | tuple[int, ...], split: str) -> np.random.Generator:
    """Random numbers that depend on the seed and the split alone; a tuple gives independent streams."""
    parts = seed if isinstance(seed, tuple) else (seed,)
    # NumPy pads seeds with zeros, so (5,) and (5, 0) would be one stream: the length keeps them apart.
    return np.random.default_rng([SPLITS.index(split), len(parts), *parts])


@dataclass(frozen=True, eq=False)
class Batch:
    """Some sequences, time first.

    one_to_many: only `inputs[0]` is given from outside; from step 1 on the inputs hold the previous target, which a
    network that runs freely replaces by its own previous output (the token, or its one-hot code in the last
    output_size channels). encoder_decoder: `inputs` is the source; targets and mask are the target side's.

    Args:
        inputs: (T, batch, input_size) float32, or (T, batch) int64 tokens, where NO_SYMBOL is the zero vector.
        targets: (T, batch, output_size) float32, or (T, batch) int64 classes; read only where `mask` is True.
        mask: (T, batch) bool, True where a step has a loss.
        lengths: (batch,) int64, the steps of `inputs` that are real; padding begins there.
        decoder_inputs: encoder_decoder only, (target steps, batch) int64: the previous target, NO_SYMBOL before the
            first.
    """

    inputs: np.ndarray
    targets: np.ndarray
    mask: np.ndarray
    lengths: np.ndarray
    decoder_inputs: np.ndarray | None = None

    @property
    def source_steps(self) -> int:
        """Steps of the time axis that belong to the source; 0 where there is no decoder."""
        return 0 if self.decoder_inputs is None else len(self.inputs)

    @property
    def counted(self) -> np.ndarray:
        """(all steps, batch) bool, True where a step has a loss; the source's steps first, which have none."""
        return self.after_source(self.mask, False)

    @property
    def valid(self) -> np.ndarray:
        """(all steps, batch) bool: real steps, not padding; the source's steps first, then the target's."""
        read = np.arange(len(self.inputs))[:, None] < self.lengths
        if self.decoder_inputs is None:
            return read
        spoken = np.arange(len(self.mask))[:, None] <= last_counted(self.mask)
        return np.concatenate([read, spoken])

    def after_source(self, values: np.ndarray, fill: float) -> np.ndarray:
        """Values of the target side, (target steps, ...), on the whole time axis: `fill` in the source's steps."""
        return np.concatenate([np.full((self.source_steps, *values.shape[1:]), fill, values.dtype), values])

    def alone(self, sequence: int) -> Batch:
        """One of its sequences, padded as it is."""
        chosen = slice(sequence, sequence + 1)
        heard = None if self.decoder_inputs is None else self.decoder_inputs[:, chosen]
        return Batch(self.inputs[:, chosen], self.targets[:, chosen], self.mask[:, chosen], self.lengths[chosen], heard)


def last_counted(mask: np.ndarray) -> np.ndarray:
    """(batch,) the last step that has a loss."""
    return len(mask) - 1 - mask[::-1].argmax(0)


def first_counted(mask: np.ndarray) -> np.ndarray:
    """(batch,) the first step that has a loss."""
    return mask.argmax(0)


@dataclass(frozen=True)
class Lengths:
    """How long a task's sequences may be, and how long they are when nobody says."""

    low: int
    high: int
    default: int


@dataclass(frozen=True)
class Metric:
    """A number that a person can judge. `measure(batch, outputs) -> float`.

    outputs: (T, batch, output_size), class probabilities or values; the metric reads them where batch.mask is True.
    Where outputs are fed back they are those of the network running by itself.
    """

    name: str
    measure: Callable[[Batch, np.ndarray], float]
    percent: bool = True
    higher_is_better: bool = True


def _no_lag(experiment: DataSettings) -> int | None:
    return None


def _no_target_side(experiment: DataSettings) -> int:
    return 0


@dataclass(frozen=True, kw_only=True)
class Task:
    """One kind of data with one question about it.

    Args:
        family: the kind of data, one of FAMILIES; lists of tasks are grouped by it.
        title, teaches, source: for the screen; `source` says where real data comes from, or that it is generated.
        rnn_types: the RNN types under which the task makes sense.
        lengths: allowed and default seq_len.
        inputs, outputs: "symbols" (tokens, classes) or "values" (numbers).
        input_labels, output_labels: the symbols, or the names of the channels.
        draw: (rng, experiment, batch_size, split) -> Batch; split is "train" or "test".
        baselines: (experiment) -> {name: loss per counted step}; the first is the bar to beat.
        lag: (experiment) -> how many steps back the answer lies, or None; in an encoder-decoder over both halves.
        target_steps: (experiment) -> steps of the target side of an encoder-decoder; 0 where there is none.
        image: (rows, columns) of the picture in the first channels of the inputs; None where there is none.
        audible: the outputs are notes, named like "C4", and can be played.
        causal: the target at t lies in the future of the input at t, so a network that reads both ways sees the answer.
        looks_ahead: what decides the answer comes only after the step that is asked, so that no one-way network can see
            it; `lag` then counts forwards. Unlike `causal`, where seeing it would be cheating.
        continues: the target at t is the input at t + 1 (the same symbols, or the same channels), so that a network can
            go on by itself from what it said: a text written, a series forecast. Never for FED_BACK types, which do so
            in any case.
        encode: (experiment, text) -> what a person typed as a batch of one sequence, prepared as in training; its
            targets and mask say where an answer is expected, the targets' values mean nothing. Symbols that training
            never saw become UNKNOWN where the task has one. Raises ValueError with a sentence for what cannot be read.
            None where nothing can be typed.
        asks: what the field says that a person types into. example: a text that `encode` reads.
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
    causal: bool = False
    looks_ahead: bool = False
    continues: bool = False
    encode: Callable[[DataSettings, str], Batch] | None = None
    asks: str = ""
    example: str = ""
    image: tuple[int, int] | None = None
    audible: bool = False

    @property
    def input_size(self) -> int:
        """Channels, or symbols of the one-hot code."""
        return len(self.input_labels)

    @property
    def output_size(self) -> int:
        """Classes, or values per step."""
        return len(self.output_labels)


def accuracy(batch: Batch, outputs: np.ndarray) -> float:
    """Share of the counted steps whose most probable class is the target."""
    right = outputs.argmax(-1) == batch.targets
    return float(right[batch.mask].mean())


def exact_match(batch: Batch, outputs: np.ndarray) -> float:
    """Share of the sequences that are right at every counted step."""
    right = outputs.argmax(-1) == batch.targets
    return float((right | ~batch.mask).all(0).mean())


def within(tolerance: float) -> Callable[[Batch, np.ndarray], float]:
    """Share of the counted steps whose value lies within `tolerance` of the target."""

    def measure(batch: Batch, outputs: np.ndarray) -> float:
        near = np.abs(outputs - batch.targets).max(-1) < tolerance
        return float(near[batch.mask].mean())

    return measure


def last_step_only(seq_len: int, batch_size: int) -> np.ndarray:
    """(T, batch) bool: one loss, at the last step of every sequence."""
    mask = np.zeros((seq_len, batch_size), bool)
    mask[-1] = True
    return mask


def asked(experiment: DataSettings, seq_len: int, batch_size: int) -> np.ndarray:
    """(T, batch) bool, for sequences without padding: every step, or the last alone for many_to_one."""
    if experiment.rnn_type == "many_to_one":
        return last_step_only(seq_len, batch_size)
    return np.ones((seq_len, batch_size), bool)


def full_lengths(seq_len: int, batch_size: int) -> np.ndarray:
    """(batch,) int64: no sequence is padded."""
    return np.full(batch_size, seq_len, np.int64)
