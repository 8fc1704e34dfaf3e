"""What a series asks of a network, against calculations in pandas that know only the values and where they are cut."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine.data.content import SeriesContent
from engine.data.tasks import MAKERS
from engine.data.tasks.series import series_task, unit_of
from engine.data.tasks.series_baselines import forecast_baselines, held_out_baselines
from engine.data.tasks.series_units import as_answers, continued, index_of, mean_absolute_error, units
from engine.data.tasks.series_windows import GAP, longest_window, step_names, window_ends
from engine.data.tasks.walk_forward import walk_forward
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.tasks import OWN_DATA, Batch, Task, held_out, register, sample
from engine.tasks.losses import LOSSES, losses_of_answers
from engine.training.trainer import Trainer
from tests.engine.data.series_tables import airline, read, waves

TYPES = ("many_to_one", "many_to_many")
TRANSFORMS = ("none", "log", "differences", "log differences")


def holey(rows: int = 90, **more: Any) -> pd.DataFrame:
    """A series with an exogenous input, and holes in both."""
    frame = waves(rows).assign(wind=lambda each: each.y.shift(3, fill_value=5.0) ** 2)
    frame.loc[[0, 20, 21, 60, 85], "y"] = np.nan
    frame.loc[[0, 1, 40], "wind"] = np.nan
    return frame.assign(**more)


def several() -> pd.DataFrame:
    parts = [waves(rows, seed=rows).assign(store=name) for name, rows in (("a", 60), ("b", 45), ("c", 60))]
    return pd.concat(parts).sort_values("date", kind="stable").reset_index(drop=True)


def made(frame: pd.DataFrame, rnn_type: str = "many_to_many", **choices: Any) -> tuple[SeriesContent, Task, Experiment]:
    summary, content, _ = read(frame, **choices)
    options = {
        "data": f"{len(frame)}",
        "kind": "series",
        "choices": str(choices),
        "first": str(frame.to_numpy().tolist()),
    }
    task = register(options, series_task("numbers.csv", summary, content))
    return content, task, Experiment(task=OWN_DATA, task_options=options, rnn_type=rnn_type, batch_size=8)


def level_of(content: SeriesContent, number: int) -> pd.Series:
    held = pd.Series(content.series[number].values[:, 0]).ffill()
    return np.log(held) if content.transform.startswith("log") else held


def answers_of(content: SeriesContent, number: int) -> pd.Series:
    """By row: what is asked there, not scaled; NaN where the target is missing."""
    level = level_of(content, number)
    later = level.where(pd.Series(content.series[number].values[:, 0]).notna()).shift(-content.horizon)
    return later - level if content.transform.endswith("differences") else later


def places(batch: Batch) -> list[tuple[int, int, int, int]]:
    """(step, sequence, series, row) of every counted answer."""
    steps, sequences = np.nonzero(batch.mask)
    return [(t, b, int(batch.origin[b, 0]), int(batch.origin[b, 1]) + t) for t, b in zip(steps, sequences, strict=True)]


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("rnn_type", TYPES)
def test_answers_and_inputs_are_those_of_pandas(transform, horizon, rnn_type):
    content, _, e = made(holey(), rnn_type, transform=transform, horizon=horizon)
    (one,) = content.series
    answers, level = answers_of(content, 0), level_of(content, 0)
    read_there = level.diff() if transform.endswith("differences") else level
    known = pd.Series(one.values[:, 0]).notna()
    scale = read_there[known & (known.index < one.cut)]
    wanted = scale
    if horizon > 1 and transform.endswith("differences"):
        wanted = answers[(answers.index + horizon < one.cut) & (answers.index > known.idxmax())]
    wind = pd.Series(one.values[:, 1])[: one.cut].dropna()
    channels = [
        (read_there.fillna(0.0) - scale.mean()) / scale.std(ddof=0),
        (pd.Series(one.values[:, 1]).ffill().fillna(wind.mean()) - wind.mean()) / wind.std(ddof=0),
    ]
    for split in ("train", "test"):
        batch = sample(e, 50, 3, split)
        assert batch.inputs.dtype == batch.targets.dtype == np.float32 and batch.inputs.shape == (e.seq_len, 50, 2)
        rows = batch.origin[:, 1] + np.arange(e.seq_len)[:, None]
        asked = ((answers - wanted.mean()) / wanted.std(ddof=0)).to_numpy()[rows]
        assert batch.targets[..., 0][batch.mask] == pytest.approx(asked[batch.mask], abs=1e-5)
        for channel, values in enumerate(channels):
            assert batch.inputs[..., channel] == pytest.approx(values.to_numpy()[rows], abs=1e-5)


@pytest.mark.parametrize("horizon", [1, 4])
@pytest.mark.parametrize("rnn_type", TYPES)
def test_each_part_answers_in_itself_alone_and_everywhere(rnn_type, horizon):
    content, _, e = made(holey(), rnn_type, horizon=horizon)
    (one,) = content.series
    known = np.flatnonzero(~np.isnan(one.values[:, 0]))
    for split, rows in (("train", range(one.cut)), ("test", range(one.cut, 90))):
        batch = sample(e, 500, 1, split)
        asked = {row + horizon for _, _, _, row in places(batch)}
        assert asked <= set(rows) & set(known.tolist()) and batch.mask[-1].all()
        assert (batch.mask.sum(0) == 1).all() if rnn_type == "many_to_one" else (batch.mask.sum(0) > 1).any()
        if split == "test":
            assert asked == set(rows) & set(known.tolist())
            assert batch.origin[:, 1].min() < one.cut  # the past is known
    assert set(np.unique(sample(e, 500, 1, "train").origin[:, 0])) == {0}


def test_every_held_out_window_is_dealt_as_often_as_any_other():
    content, _, e = made(airline())
    counts = np.bincount(sample(e, 256, 1, "test").origin[:, 1])
    assert counts[counts > 0].tolist().count(10) + counts[counts > 0].tolist().count(11) == 24
    assert len(window_ends(content, "test", 24)) == 24


@pytest.mark.parametrize("transform", [None, *TRANSFORMS])
def test_held_out_values_change_no_training_batch(transform):
    frame = holey()
    choices = {} if transform is None else {"transform": transform}
    content, task, e = made(frame, **choices)
    cut = content.series[0].cut
    other = frame.copy()
    other.loc[cut:, ["y", "wind"]] = np.random.default_rng(0).uniform(1, 500, (90 - cut, 2))
    _, changed, other_e = made(other, **choices)
    assert changed is not task and other_e.seq_len == e.seq_len
    for step in range(5):
        one, two = sample(e, 16, (0, step)), sample(other_e, 16, (0, step))
        for each in dataclasses.fields(Batch):
            assert np.array_equal(getattr(one, each.name), getattr(two, each.name)), each.name


def test_several_series_end_where_each_of_them_ends():
    content, _, e = made(several(), ids="store")
    assert [one.cut for one in content.series] == [60 - 12, 45 - 12, 60 - 12]
    batch = sample(e, 300, 1, "test")
    answers = [answers_of(content, number) for number in range(3)]
    found = places(batch)
    assert {number for _, _, number, _ in found} == {0, 1, 2}
    assert all(
        content.series[number].cut <= row + 1 < len(content.series[number].values) for _, _, number, row in found
    )
    trained = np.concatenate([level_of(content, k).diff()[1 : content.series[k].cut] for k in range(3)])
    for t, b, number, row in found[::17]:
        wanted = (answers[number][row] - trained.mean()) / trained.std()
        assert batch.targets[t, b, 0] == pytest.approx(wanted, abs=1e-5)


def test_uneven_steps_are_an_input():
    frame = waves(80)
    frame["date"] += pd.to_timedelta(np.random.default_rng(1).integers(0, 70_000, 80), unit="s")
    content, task, e = made(frame)
    gaps = frame.date.diff().dt.total_seconds()
    trained = gaps[1 : content.series[0].cut]
    batch = sample(e, 20, 1)
    assert task.input_labels == ("change of y", GAP) and not task.continues
    for b in range(20):
        rows = batch.origin[b, 1] + np.arange(e.seq_len)
        wanted = (gaps[rows] - trained.mean()) / trained.std(ddof=0)
        assert batch.inputs[:, b, 1] == pytest.approx(wanted.to_numpy(), abs=1e-5) and rows[0] > 0


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("horizon", [1, 3])
def test_answers_in_units_are_the_values_themselves(transform, horizon):
    content, task, e = made(holey(), transform=transform, horizon=horizon)
    batch = sample(e, 40, 1, "test")
    found = units(content, batch, batch.targets)
    true = content.series[0].values[:, 0]
    for t, b, _, row in places(batch):
        assert found[t, b] == pytest.approx(true[row + horizon], rel=1e-5)
    at = index_of(content, batch)
    assert as_answers(content, at, found)[..., None] == pytest.approx(batch.targets, abs=1e-4)
    assert task.metric.measure(batch, batch.targets.astype(np.float64)) == 0
    off = as_answers(content, at, found + 2.5)[..., None]
    assert task.metric.measure(batch, off) == pytest.approx(2.5)
    assert not task.metric.higher_is_better and not task.metric.percent
    assert task.metric.measure(batch, np.full_like(batch.targets, np.inf)) == np.inf
    with pytest.raises(ValueError, match="origin"):
        units(content, dataclasses.replace(batch, origin=None), batch.targets)


def by_hand(content: SeriesContent) -> Callable[[int, int], dict[str, float]]:
    """The baselines of one answer, (row, ahead), in plain loops over what is known at the row."""
    (one,), period = content.series, content.period
    target = pd.Series(one.values[:, 0])
    held, mean = target.ffill().tolist(), target[: one.cut].mean()
    changes = np.log(target[: one.cut]).diff()
    usual = [changes[changes.index % period == at].mean() for at in range(period)]

    def said(row: int, ahead: int) -> dict[str, float]:
        same = row + ahead
        while same > row:
            same -= period
        value = np.log(held[row])
        for step in range(1, ahead + 1):
            value += usual[(row + step) % period]
        periods = (row + ahead - same) // period
        last, before = sum(held[row - period + 1 : row + 1]), sum(held[row - 2 * period + 1 : row - period + 1])
        return {
            "the value before": held[row],
            "the mean of the trained part": mean,
            f"the value {period} steps before": held[same],
            f"{period} before, grown as the last period": held[same] * (last / before) ** periods,
            "the value before, changed as usual": np.exp(value),
        }

    return said


def holey_airline() -> pd.DataFrame:
    frame = airline()
    frame.loc[[30, 31, 77, 125, 133], "Passengers in thousands"] = np.nan
    return frame


@pytest.mark.parametrize("rnn_type", TYPES)
@pytest.mark.parametrize("horizon", [1, 5, 14])
def test_baselines_on_a_batch_are_those_of_loops(rnn_type, horizon):
    content, task, e = made(holey_airline(), rnn_type, horizon=horizon)
    batch = sample(e, 30, 2, "test")
    true, differences, squares = content.series[0].values[:, 0], {}, {}
    zero = units(content, batch, np.zeros_like(batch.targets))
    one = units(content, batch, np.ones_like(batch.targets))
    mean, sd = np.log(zero), np.log(one) - np.log(zero)  # of the logarithm, with the level
    known = by_hand(content)
    for t, b, _, row in places(batch):
        for name, said in known(row, horizon).items():
            differences.setdefault(name, []).append(abs(said - true[row + horizon]))
            answer = (np.log(said) - mean[t, b]) / sd[t, b]
            weight = 1 / batch.mask[:, b].sum() / 30
            squares[name] = squares.get(name, 0.0) + weight * (answer - float(batch.targets[t, b, 0])) ** 2
    expected = {name: np.mean(each) for name, each in differences.items()}
    found = task.metric_baselines(e, batch)
    assert list(found) == list(expected) and found == pytest.approx(expected, rel=1e-9)
    losses = task.baselines_on(e, batch)
    assert len(losses) in (1, 2) and losses == pytest.approx({name: squares[name] for name in losses}, rel=1e-4)


def test_the_baselines_of_a_run_are_those_of_its_probe():
    _, task, e = made(airline())
    probe = sample(e, 16, (e.seed, 0), "test")
    assert task.baselines(e) == task.baselines_on(e, probe)
    assert list(task.baselines(e)) == ["the value before, changed as usual", "the value before"]
    assert all(len(name) <= 36 for name in task.baselines(e))


@pytest.mark.parametrize("row", [119, 130])
def test_forecasts_of_the_baselines_know_nothing_after_their_origin(row):
    content, _, _ = made(holey_airline())
    found, known = forecast_baselines(content, 0, row, 14), by_hand(content)
    for ahead in range(1, 15):
        for name, said in known(row, ahead).items():
            assert found[name][ahead - 1] == pytest.approx(said, rel=1e-9)
    frame = holey_airline()
    frame.iloc[row + 1 :, 1] = 7777.0
    cut = dataclasses.replace(content.series[0], values=frame.iloc[:, 1:].to_numpy(float))
    other = forecast_baselines(dataclasses.replace(content, series=(cut,)), 0, row, 14)
    assert all(np.array_equal(other[name], found[name]) for name in found)


def test_baselines_without_enough_past_are_left_out():
    content, task, e = made(airline(), window=6)
    assert set(forecast_baselines(content, 0, 5, 3)) == {
        "the value before", "the mean of the trained part", "the value before, changed as usual",
    }  # fmt: skip
    assert "12 before, grown as the last period" not in task.metric_baselines(e, sample(e, 64, 1, "train"))
    assert held_out_baselines(content).keys() == task.metric_baselines(e, sample(e, 64, 1, "test")).keys()


def test_without_a_period_or_values_above_zero_there_are_fewer():
    content, _, _ = made(waves(60).assign(y=np.random.default_rng(0).normal(size=60)))
    assert list(held_out_baselines(content)) == ["the value before", "the mean of the trained part"]
    content, _, _ = made(waves(120).assign(y=waves(120).y - 10))
    y, cut = pd.Series(content.series[0].values[:, 0]), content.series[0].cut
    usual = y[:cut].diff().groupby(np.arange(cut) % 12).mean().to_numpy()
    said = y.shift(1) + usual[np.arange(120) % 12]
    found = held_out_baselines(content)
    assert "12 before, grown as the last period" not in found
    assert found["the value before, changed as usual"] == pytest.approx((said - y)[cut:].abs().mean())


def test_a_walk_forward_of_persistence_is_the_value_before():
    content, _, e = made(holey_airline())
    zero = -units_scale(content, e)
    walk = walk_forward(content, lambda inputs, steps: np.full((steps, inputs.shape[1], 1), zero), 12)
    assert walk.ahead.tolist() == list(range(1, 13))
    assert walk.errors == pytest.approx(walk.baselines["the value before"])
    true, origins, said = content.series[0].values[:, 0], walk.origins[:, 1], by_hand(content)
    for ahead in (1, 7, 12):
        known = [row for row in origins if row + ahead < 144 and not np.isnan(true[row + ahead])]
        assert walk.counts[ahead - 1] == len(known)
        for name in walk.baselines:
            expected = np.mean([abs(said(row, ahead)[name] - true[row + ahead]) for row in known])
            assert walk.baselines[name][ahead - 1] == pytest.approx(expected)
    assert origins.min() == 119 and not np.isnan(true[origins + 1]).any()
    summary = read(holey_airline())[0]["baselines"]
    assert {name: errors[0] for name, errors in walk.baselines.items()} == pytest.approx(summary)


def units_scale(content: SeriesContent, e: Experiment) -> float:
    """mean / sd of the answers: what an answer of no change is, with the sign turned."""
    batch = sample(e, 1, 1, "test")
    zero, one = (np.log(units(content, batch, np.full_like(batch.targets, each)))[0, 0] for each in (0.0, 1.0))
    row = int(batch.origin[0, 1])
    return (zero - level_of(content, 0)[row]) / (one - zero)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_a_walk_forward_of_one_who_knows_makes_no_error(transform):
    content, _, e = made(airline(), transform=transform)
    batch = sample(e, 64, 1, "test")
    inputs = {window.tobytes(): tuple(origin) for window, origin in zip(batch.inputs.transpose(1, 0, 2), batch.origin,
                                                                         strict=True)}  # fmt: skip
    answers = answers_of(content, 0)
    first = batch.origin[0, 1]
    true = (answers[first], answers[first + 1])
    z = batch.targets[:2, 0, 0].astype(float)
    sd = (true[1] - true[0]) / (z[1] - z[0])
    mean = true[0] - z[0] * sd

    def knows(read_there: np.ndarray, steps: int) -> np.ndarray:
        said = np.zeros((steps, read_there.shape[1], 1))
        for column, window in enumerate(read_there.transpose(1, 0, 2)):
            row = inputs[window.tobytes()][1] + e.seq_len - 1
            coming = answers[row : row + steps].dropna()
            said[: len(coming), column, 0] = (coming - mean) / sd
        return said

    walk = walk_forward(content, knows, 6)
    assert walk.errors == pytest.approx(np.zeros(6), abs=0.05) and walk.counts.tolist() == [24, 23, 22, 21, 20, 19]
    assert np.isnan(walk.forecasts[1, -1]) and walk.forecasts[0, 0] == pytest.approx(360, abs=0.05)


def test_a_walk_forward_of_a_network_that_cannot_go_on_is_of_its_own_horizon():
    content, _, e = made(holey(), horizon=3)
    walk = walk_forward(content, lambda inputs, steps: np.zeros((steps, inputs.shape[1], 1)), 1)
    batch = sample(e.replace(rnn_type="many_to_one"), len(walk.origins), 1, "test")
    assert walk.ahead.tolist() == [3] and walk.counts.tolist() == [len(window_ends(content, "test", content.window))]
    assert walk.errors[0] == pytest.approx(mean_absolute_error(content, batch, np.zeros_like(batch.targets)))
    with pytest.raises(ValueError, match="horizon must be 1"):
        walk_forward(content, lambda inputs, steps: inputs, 2)


def test_going_on_adds_up_what_is_said():
    content, _, e = made(airline())
    batch = sample(e, 1, 1, "test")
    row = int(batch.origin[0, 1])
    path = continued(content, 0, row, batch.targets[:, 0, 0])
    assert path == pytest.approx(content.series[0].values[row + 1 : row + 25, 0], rel=1e-4)


@pytest.mark.parametrize("rnn_type", TYPES)
@pytest.mark.parametrize("frame, choices", [(airline(), {}), (holey(), {"horizon": 3}), (several(), {"ids": "store"})])
def test_a_network_trains_on_it(frame, choices, rnn_type):
    content, task, e = made(frame, rnn_type, **choices)
    trainer = Trainer(e.replace(hidden_size=4, noise=0.3, cell="gru", steps=3))
    for _ in range(3):
        assert np.isfinite(trainer.advance())
    info = RunInfo.of(e)
    assert info.baseline > 0 and info.causal and e.seq_len == content.window
    assert task.slug == OWN_DATA and MAKERS["series"] is series_task and len(task.title) <= 22
    assert task.continues == (rnn_type in TYPES and len(content.channels) == 1 and content.horizon == 1)
    for length in (task.lengths.low, task.lengths.high):
        for split in ("train", "test"):
            assert sample(e.replace(seq_len=length), 4, 1, split).mask.any(0).all()
    assert task.lengths.high <= longest_window(content)


def test_what_counts_as_solved_beats_the_best_baseline_by_far():
    _, task, _ = made(airline())
    assert task.metric.solved == pytest.approx(np.sqrt(0.1) * 16.567383717)
    assert task.metric.name == "mean absolute error, thousands"


@pytest.mark.parametrize(
    ("transform", "label"),
    [("none", "y"), ("log", "logarithm of y"), ("differences", "change of y"), ("log differences", "change of y")],
)
def test_what_is_read_and_asked_is_named_as_what_it_is(transform, label):
    frame = waves(60)
    frame["x"] = 1.0 * np.arange(60) ** 2
    content, task, _ = made(frame, transform=transform)
    assert task.input_labels == (label, "x") and task.output_labels == (label,)
    assert content.channels == ("y", "x") and task.metric.name == "mean absolute error of y", "its errors are in units"


@pytest.mark.parametrize(
    ("name", "unit"),
    [("Temp (°C)", "°C"), ("load [MW]", "MW"), ("Passengers in thousands", "thousands"), ("y", ""), ("in", ""),
     ("monthly totals in 1000", ""), ("born in", "")],
)  # fmt: skip
def test_the_unit_is_read_from_the_name(name, unit):
    assert unit_of(name) == unit


@pytest.mark.parametrize(
    ("freq", "first"), [("MS", "Jan 2020"), ("D", "01 Jan 2020"), ("YS", "2020"), ("h", "01 Jan 00:00")]
)
def test_steps_are_called_by_their_time(freq: str, first: str):
    _, content, _ = read(waves(60, freq=freq))
    batch = Batch(np.zeros((3, 1, 1), np.float32), np.zeros((3, 1, 1)), np.ones((3, 1), bool), np.array([3]),
                  origin=np.array([[0, 0]]))  # fmt: skip
    names = step_names(content, batch)
    assert len(names) == 3 and names[0] == first and len(set(names)) == 3
    assert step_names(content, dataclasses.replace(batch, origin=None)) == ()


@pytest.mark.parametrize("loss", LOSSES)
def test_simple_answers_have_the_losses_of_the_baselines_in_every_loss(loss):
    _, task, e = made(holey())
    e, batch = e.replace(loss=loss), held_out(e)
    answers = task.simple_answers(e, batch)
    in_squares, ours = task.baselines_on(e, batch), losses_of_answers(loss, answers, batch)
    assert list(ours) == list(in_squares)
    if loss == "mse":
        assert ours == pytest.approx(in_squares, rel=1e-6)
    info = RunInfo.of(e)
    assert info.held_out_baselines == pytest.approx(ours) and info.baseline > 0 and info.constant_loss > 0
