"""Synthetic series with known best errors: two waves mixed, a wave at uneven times, a hidden interval."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from engine.tasks.base import DataSettings, Lengths, Metric, Task, beginnings, full_lengths, within
from engine.tasks.batch import Batch
from engine.tasks.series import asked_ahead, next_value

PERIODS = (20.0, 7.0)  # steps
MIN_AMPLITUDE, MAX_AMPLITUDE = 0.5, 1.0  # amplitude of each of the two waves, uniform between these

MIN_GAP, MAX_GAP = 0.25, 2.25  # between two samples, uniform between these, in tenths of a period
TENTH = 2 * np.pi / 10  # angle

HIDDEN = 8  # steps without a value
SHOWN = 8  # steps at either end that always have one
SMOOTHNESS = 8.0  # length scale of the covariance, in steps


def _draw_sine(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    steps = np.arange(experiment.seq_len + experiment.horizon)
    angles = steps[:, None, None] * (2 * np.pi / np.array(PERIODS))  # (T + horizon, 1, 2)
    phases = rng.uniform(0, 2 * np.pi, (batch_size, 2))
    amplitudes = rng.uniform(MIN_AMPLITUDE, MAX_AMPLITUDE, (batch_size, 2))
    return next_value((amplitudes * np.sin(angles + phases)).sum(-1).astype(np.float32), experiment)


def _sine_baselines(experiment: DataSettings) -> dict[str, float]:
    """Exact expected errors over all phases and amplitudes; the same at every step.

    Each wave has the variance E[a²] / 2 and, one step later, correlates with itself by the cosine of its angle per
    step. The two have one distribution of amplitudes, so given their sum x either is expected to be x / 2, and the
    expected next value is x times the mean of the two cosines: no function of the present value does better. Over a
    horizon of k steps the angles are k times as large.
    """
    variance = (
        (MAX_AMPLITUDE**3 - MIN_AMPLITUDE**3) / (MAX_AMPLITUDE - MIN_AMPLITUDE) / 3
    )  # of the sum: two halves of E[a²]
    correlation = float(np.cos(2 * np.pi * experiment.horizon / np.array(PERIODS)).mean())
    name = "next value" if experiment.horizon == 1 else f"value {experiment.horizon} steps later"
    return {
        f"{name} like this one": 2 * variance * (1 - correlation),
        "best from the present value alone": variance * (1 - correlation**2),
        "always the mean": variance,
    }


def _sine_answers(experiment: DataSettings, batch: Batch) -> dict[str, np.ndarray]:
    """Given the present value, a later one is as likely above the mean that `_sine_baselines` names as below."""
    name = "next value" if experiment.horizon == 1 else f"value {experiment.horizon} steps later"
    correlation = np.cos(2 * np.pi * experiment.horizon / np.array(PERIODS)).mean()
    return {
        f"{name} like this one": batch.inputs,
        "best from the present value alone": batch.inputs * correlation,
        "always the mean": np.zeros_like(batch.targets),
    }


@cache
def _sine_ahead(horizon: int) -> Task:
    return asked_ahead(SINE, horizon, f"value {horizon} steps later")


SINE = Task(
    slug="sine",
    family="Series",
    title="Two waves mixed",
    teaches="Why a state is needed: one value does not tell whether the curve is rising or falling.",
    source="Generated: the sum of two sine waves with periods of 20 and 7 steps, random phases and amplitudes.",
    rnn_types=("many_to_many", "many_to_one"),
    lengths=Lengths(2, 500, 40),
    inputs="values",
    outputs="values",
    input_labels=("value now",),
    output_labels=("value next",),
    metric=Metric("within 0.1", within(0.1)),
    draw=_draw_sine,
    shorten=beginnings,
    baselines=_sine_baselines,
    simple_answers=_sine_answers,
    causal=True,
    continues=True,
    ahead=_sine_ahead,
    farthest=64,
)


def _uneven(rng: np.random.Generator, seq_len: int, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """A sine wave with a random phase at uneven times.

    Returns:
        (T + 1, batch) the values, and (T, batch) the gap after each but the last, in tenths of a period.
    """
    gaps = rng.uniform(MIN_GAP, MAX_GAP, (seq_len, batch_size))
    angles = np.empty((seq_len + 1, batch_size))
    angles[0] = rng.uniform(0, 2 * np.pi, batch_size)
    angles[1:] = angles[0] + TENTH * gaps.cumsum(0)
    return np.sin(angles).astype(np.float32), gaps.astype(np.float32)


def _draw_untimed(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    return next_value(_uneven(rng, experiment.seq_len, batch_size)[0], experiment)


def _draw_timed(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    values, gaps = _uneven(rng, experiment.seq_len, batch_size)
    batch = next_value(values, experiment)
    return replace(batch, inputs=np.concatenate([batch.inputs, gaps[:, :, None]], axis=-1))


def _uneven_baselines(experiment: DataSettings) -> dict[str, float]:
    """Exact expected errors over all phases and gaps; the same at every step.

    Given the present angle but not the next gap, the best prediction is the mean of the sine over that gap. Its mean
    square is |m|² / 2, where m is the mean of exp(i angle) over the gap; that of the sine itself is 1/2. The
    difference is the lowest error without the gap as an input.
    """
    middle, half = (MAX_GAP + MIN_GAP) / 2 * TENTH, (MAX_GAP - MIN_GAP) / 2 * TENTH
    shrunk = float(np.sin(half) / half)  # |m|
    return {
        "next value like this one": 1 - shrunk * float(np.cos(middle)),
        "always the mean": 1 / 2,
        "least possible without the gaps": (1 - shrunk**2) / 2,
    }


def _uneven_answers(experiment: DataSettings, batch: Batch) -> dict[str, np.ndarray]:
    return {"next value like this one": batch.inputs[..., :1], "always the mean": np.zeros_like(batch.targets)}


UNTIMED_WAVE = Task(
    slug="irregular_wave",
    family="Series",
    title="Uneven wave",
    teaches="Uneven time steps: without knowing how long each is, no network can predict what comes next.",
    source="Generated: a sine wave with a random phase, sampled after random gaps of 1/40 to 9/40 of its period.",
    rnn_types=("many_to_many", "many_to_one"),
    lengths=Lengths(2, 500, 40),
    inputs="values",
    outputs="values",
    input_labels=("value now",),
    output_labels=("value next",),
    metric=Metric("within 0.1", within(0.1)),
    draw=_draw_untimed,
    shorten=beginnings,
    baselines=_uneven_baselines,
    simple_answers=_uneven_answers,
    causal=True,
    continues=True,
)

TIMED_WAVE = replace(
    UNTIMED_WAVE,
    slug="irregular_wave_gaps",
    title="Uneven wave, with gaps",
    teaches="Uneven time steps have to be an input: with the gap given, the same wave can be learned.",
    input_labels=("value now", "gap to the next, tenths of a period"),
    draw=_draw_timed,
    continues=False,  # a network that continues by itself does not know the next gap
)


@cache
def _covariance(seq_len: int) -> np.ndarray:
    """(T, T) float64, of the smooth random curve: the Matérn covariance of order 5/2, variance 1.

    Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), chapter 4.
    """
    steps = np.arange(seq_len)
    distance = np.sqrt(5) / SMOOTHNESS * np.abs(steps[:, None] - steps)
    return (1 + distance + distance**2 / 3) * np.exp(-distance)


@cache
def _root(seq_len: int) -> np.ndarray:
    """(T, T) float64, lower triangular: its product with independent normal numbers is one curve."""
    return np.linalg.cholesky(_covariance(seq_len))


@cache
def _single_root(seq_len: int) -> np.ndarray:
    return _root(seq_len).astype(np.float32)


def _draw_gap(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    seq_len = experiment.seq_len
    values = _single_root(seq_len) @ rng.standard_normal((seq_len, batch_size), np.float32)
    first = rng.integers(SHOWN, seq_len - SHOWN - HIDDEN + 1, batch_size)
    steps = np.arange(seq_len)[:, None]
    hidden = (first <= steps) & (steps < first + HIDDEN)  # (T, batch)
    inputs = np.stack([np.where(hidden, np.float32(0), values), hidden.astype(np.float32)], axis=-1)
    return Batch(inputs, values[:, :, None], hidden, full_lengths(seq_len, batch_size))


@cache
def _gap_errors(seq_len: int) -> tuple[float, float]:
    """Lowest mean squared error (from the past, from both sides), averaged over all positions of the hidden interval.

    The curve is a Gaussian process, so the best prediction is linear, and the posterior covariance depends only on
    which steps are known. Given all earlier steps it is B Bᵀ, where B is the block of the Cholesky factor that belongs
    to the hidden steps; given all other steps it is the inverse of their block of the inverse covariance.
    """
    root, precision = _root(seq_len), np.linalg.inv(_covariance(seq_len))
    past, both = [], []
    for first in range(SHOWN, seq_len - SHOWN - HIDDEN + 1):
        hidden = slice(first, first + HIDDEN)
        past.append((root[hidden, hidden] ** 2).sum(1).mean())
        both.append(np.linalg.inv(precision[hidden, hidden]).diagonal().mean())
    return float(np.mean(past)), float(np.mean(both))


def _gap_baselines(experiment: DataSettings) -> dict[str, float]:
    past, both = _gap_errors(experiment.seq_len)
    return {"best from the past alone": past, "best from both sides": both, "always the mean": 1.0}


def _gap_answers(experiment: DataSettings, batch: Batch) -> dict[str, np.ndarray]:
    """The curve is a Gaussian process: its mean, given what is known, is the best answer for every symmetric loss."""
    root, precision = _root(experiment.seq_len), np.linalg.inv(_covariance(experiment.seq_len))
    values, hidden = batch.inputs[..., 0], batch.mask
    past, both = np.zeros(batch.targets.shape), np.zeros(batch.targets.shape)
    for column, steps in enumerate(hidden.T):
        first = int(steps.argmax())
        before = np.linalg.solve(root[:first, :first], values[:first, column])
        past[steps, column, 0] = root[steps, :first] @ before
        known = precision[np.ix_(steps, ~steps)] @ values[~steps, column]
        both[steps, column, 0] = -np.linalg.solve(precision[np.ix_(steps, steps)], known)
    nothing = np.zeros_like(batch.targets)
    return {"best from the past alone": past, "best from both sides": both, "always the mean": nothing}


GAP = Task(
    slug="gap",
    family="Series",
    title="Fill the gap",
    teaches="Reading both ways: past and future together say more about a hidden interval than the past alone.",
    source="Generated: a smooth random curve (a Gaussian process), 8 steps in a row hidden.",
    rnn_types=("many_to_many",),
    lengths=Lengths(2 * SHOWN + HIDDEN, 200, 40),
    inputs="values",
    outputs="values",
    input_labels=("value, 0 where hidden", "hidden"),
    output_labels=("true value",),
    metric=Metric("within 0.1", within(0.1)),
    draw=_draw_gap,
    baselines=_gap_baselines,
    simple_answers=_gap_answers,
)
