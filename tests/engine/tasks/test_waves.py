"""Waves and the hidden stretch: the next value is the next value, and what can be known is what is said."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.tasks import TASKS, Batch, sample
from tests.cases import grid

CONTINUING = [(slug, kind) for slug in ("sine", "irregular_wave") for kind in TASKS[slug].rnn_types]


def dealt(slug: str, batch_size: int, seq_len: int = 40, rnn_type: str = "many_to_many") -> Batch:
    return sample(Experiment(task=slug, rnn_type=rnn_type, seq_len=seq_len), batch_size, 1)


def baselines(slug: str, seq_len: int = 40) -> dict[str, float]:
    return TASKS[slug].baselines(Experiment(task=slug, rnn_type="many_to_many", seq_len=seq_len))


def error(outputs: np.ndarray, batch: Batch) -> float:
    return float(((outputs - batch.targets)[batch.mask].astype(np.float64) ** 2).mean())


@pytest.mark.parametrize(("slug", "rnn_type"), CONTINUING)
def test_a_network_can_go_on_from_what_it_said(slug, rnn_type):
    batch = dealt(slug, 20, rnn_type=rnn_type)
    assert TASKS[slug].continues and np.array_equal(batch.inputs[1:], batch.targets[:-1])


@pytest.mark.parametrize("slug", ["irregular_wave_gaps", "gap"])
def test_nobody_goes_on_where_an_input_is_no_output(slug):
    assert not TASKS[slug].continues


# ---- two waves mixed


def test_two_waves_of_known_periods_follow_from_four_values():
    """cos(w(t+1)) + cos(w(t-1)) = 2 cos(w) cos(wt): the rule of each wave, applied one after the other, leaves 0."""
    left = dealt("sine", 500).targets[:, :, 0].astype(np.float64)
    for period in (20, 7):
        assert np.abs(left).max() > 0.4
        left = left[2:] + left[:-2] - 2 * math.cos(2 * math.pi / period) * left[1:-1]
    assert np.abs(left).max() < 3e-6


def test_amplitudes_and_phases_are_drawn_for_each_wave_by_itself():
    series = dealt("sine", 4000).targets[:, :, 0].astype(np.float64)
    angles = np.outer(np.arange(1, 41), [2 * np.pi / 20, 2 * np.pi / 7])
    columns = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    sines, cosines = np.linalg.lstsq(columns, series, rcond=None)[0].reshape(2, 2, -1)
    amplitudes, phases = np.hypot(sines, cosines), np.arctan2(cosines, sines)
    for each in amplitudes:
        assert each.min() > 0.5 - 1e-5 and each.max() < 1 + 1e-5 and each.mean() == pytest.approx(0.75, abs=0.01)
    for each in phases:
        assert np.histogram(each, 8, (-np.pi, np.pi))[0] == pytest.approx(np.full(8, 500), abs=100)
    assert abs(np.corrcoef(*amplitudes)[0, 1]) < 0.06 and abs(np.corrcoef(np.cos(phases))[0, 1]) < 0.06


def test_the_bars_of_the_mixed_waves_are_the_errors_that_they_name():
    batch = dealt("sine", 20_000)
    like_now, from_now, mean = baselines("sine").values()
    assert error(batch.inputs, batch) == pytest.approx(like_now, rel=0.02)
    assert error(np.zeros_like(batch.inputs), batch) == pytest.approx(mean, rel=0.02)
    now, following = batch.inputs.ravel().astype(np.float64), batch.targets.ravel().astype(np.float64)
    place = np.digitize(now, np.linspace(-2, 2, 201))  # narrow bins: their means are any function of the present value
    count = np.maximum(np.bincount(place), 1)
    means = np.bincount(place, following) / count
    assert ((following - means[place]) ** 2).mean() == pytest.approx(from_now, rel=0.02)
    assert from_now < like_now < mean


# ---- a wave at uneven times


def test_two_values_and_their_gaps_tell_the_rest_of_an_uneven_wave():
    batch = dealt("irregular_wave_gaps", 500)
    values, gaps = np.moveaxis(batch.inputs.astype(np.float64), -1, 0)
    turned = 2 * np.pi / 10 * gaps
    first = np.arctan2(values[0], (values[1] - values[0] * np.cos(turned[0])) / np.sin(turned[0]))
    assert np.sin(first + turned.cumsum(0)) == pytest.approx(batch.targets[:, :, 0], abs=1e-4)
    assert gaps.min() >= 0.25 and gaps.max() <= 2.25
    assert np.histogram(gaps, 10, (0.25, 2.25))[0] == pytest.approx(np.full(10, 2000), rel=0.1)
    assert np.array_equal(batch.inputs[1:, :, :1], batch.targets[:-1])


def test_with_and_without_the_gaps_it_is_the_same_wave():
    gaps, untold = dealt("irregular_wave_gaps", 50), dealt("irregular_wave", 50)
    assert np.array_equal(gaps.inputs[:, :, :1], untold.inputs) and np.array_equal(gaps.targets, untold.targets)
    assert baselines("irregular_wave") == baselines("irregular_wave_gaps")


def test_the_bars_of_the_uneven_wave_are_the_errors_that_they_name():
    """The last one by brute force: many gaps tried from each of many angles, and what varies among them."""
    batch = dealt("irregular_wave", 20_000)
    like_now, mean, least = baselines("irregular_wave").values()
    assert error(batch.inputs, batch) == pytest.approx(like_now, rel=0.02)
    assert error(np.zeros_like(batch.inputs), batch) == pytest.approx(mean, rel=0.02)
    angle, gap = np.linspace(0, 2 * np.pi, 400, endpoint=False), np.linspace(0.25, 2.25, 2001)
    tried = np.sin(angle[:, None] + 2 * np.pi / 10 * gap)
    assert tried.var(1).mean() == pytest.approx(least, rel=2e-3)
    assert least < like_now / 5 < like_now < mean


# ---- the hidden stretch


@pytest.mark.parametrize("seq_len", [24, 25, 40])
def test_eight_steps_are_hidden_and_flagged_and_all_others_shown(seq_len):
    batch = dealt("gap", 2000, seq_len)
    shown, flag = np.moveaxis(batch.inputs, -1, 0)
    assert np.array_equal(flag == 1, batch.mask) and np.isin(flag, (0, 1)).all()
    assert np.array_equal(shown[~batch.mask], batch.targets[~batch.mask][:, 0]) and not shown[batch.mask].any()
    firsts = batch.mask.argmax(0)
    assert set(firsts.tolist()) == set(range(8, seq_len - 15))
    for column, first in zip(batch.mask.T, firsts, strict=True):
        assert column.tolist() == [False] * first + [True] * 8 + [False] * (seq_len - first - 8)


def test_the_curve_has_the_covariance_of_matern_five_halves():
    """From its spectrum, (5 / l² + w²) to the power -3, integrated over all frequencies w."""
    values = dealt("gap", 40_000, 30).targets[:, :, 0].astype(np.float64)
    frequency = np.linspace(0, 20, 200_001)
    spectrum = (5 / 8**2 + frequency**2) ** -3
    for lag in (0, 1, 4, 8, 20):
        expected = (np.cos(frequency * lag) * spectrum).sum() / spectrum.sum()
        assert (values[5] * values[5 + lag]).mean() == pytest.approx(expected, abs=0.02)
    assert values.mean() == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("seq_len", grid([24, 28], kept=lambda at: at == 0))
def test_no_linear_answer_beats_the_bars_of_the_gap_and_one_meets_them(seq_len):
    """Least squares on half of many curves, tried on the other half, for each place of the hidden stretch."""
    batch = dealt("gap", 60_000, seq_len)
    values, firsts = batch.targets[:, :, 0].astype(np.float64), batch.mask.argmax(0)
    errors: dict[str, list[float]] = {"past": [], "both": []}
    for first in range(8, seq_len - 15):
        curves = values[:, firsts == first]
        trained, held_out = np.array_split(curves, 2, axis=1)
        hidden = slice(first, first + 8)
        for name, known in (("past", np.r_[:first]), ("both", np.r_[:first, first + 8 : seq_len])):
            weights = np.linalg.lstsq(trained[known].T, trained[hidden].T, rcond=None)[0]
            errors[name].append(float(((held_out[known].T @ weights - held_out[hidden].T) ** 2).mean()))
    past, both, mean = baselines("gap", seq_len).values()
    assert past == pytest.approx(np.mean(errors["past"]), rel=0.03)
    assert both == pytest.approx(np.mean(errors["both"]), rel=0.03)
    assert mean == 1 and both < past / 10


def test_the_bars_of_the_gap_hardly_depend_on_the_length():
    """What lies far from the hidden stretch says no more about it."""
    assert list(baselines("gap", 200).values()) == pytest.approx(list(baselines("gap", 40).values()), rel=2e-3)
