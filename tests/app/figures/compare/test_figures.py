"""The figures of a race: valid in every case, the same for the same lanes, and true to the frames."""

from __future__ import annotations

import dataclasses
import json
import pickle
from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from app.figures.base import Curves
from app.figures.compare import on_other_data
from app.figures.compare.catalogue import FIGURES, LANES, LaneSnapshot, applicable
from app.figures.compare.over_time import norms, reach
from app.figures.over_time import gradient
from engine.experiment import Experiment
from engine.recording.history import History, Waterfall
from engine.training import Trainer

ADDING = Experiment(task="adding", cell="rnn", hidden_size=4, seq_len=12, batch_size=4)
CASES = {
    "three cells": [ADDING.replace(cell=cell) for cell in ("rnn", "gru", "lstm")],
    "two": [ADDING, ADDING.replace(hidden_size=2)],
    "no links": [ADDING.replace(cell="feedforward"), ADDING],
    "many losses": [
        Experiment(task="xor", rnn_type="many_to_many", cell=cell, hidden_size=3, batch_size=2, seq_len=8)
        for cell in ("gru", "lstm")
    ],
    "encoder-decoder": [
        Experiment(task="reverse", rnn_type="encoder_decoder", cell=cell, hidden_size=3, batch_size=2)
        for cell in ("rnn", "lstm")
    ],
    "one step": [Experiment(task="digits", rnn_type="one_to_one", seq_len=1, hidden_size=3, batch_size=2)] * 2,
}


@cache
def runner(experiment: Experiment, letter: str, updates: int = 4) -> LaneSnapshot:
    """A lane after a few updates, looked at before and after."""
    trainer, curve, waterfall = Trainer(experiment), History(), Waterfall()
    for _ in range(updates + 1):
        frame = trainer.frame()
        curve.add_frame(frame.step, frame.loss, frame.probe_loss, frame.metric, frame.param_grad_norm, frame.clipped)
        curve.add_held_out(frame.held_out_step, frame.held_out_loss)
        waterfall.add_frame(trainer.info, frame)
        if trainer.step < updates:
            loss = trainer.advance()
            curve.add_update(trainer.step, loss, trainer.param_grad_norm, trainer.clipped)
    curves = Curves(curve.updates(), curve.looks(), waterfall.table(), curve.held_out())
    return LaneSnapshot(letter=letter, name=trainer.info.cell_title, info=trainer.info, frame=frame, curves=curves)


def race(case: str, updates: int = 4) -> list[LaneSnapshot]:
    return [runner(each, letter, updates) for each, letter in zip(CASES[case], "ABC", strict=False)]


def drawn(name: str, runners: list[LaneSnapshot]) -> go.Figure:
    """The template with the patch put in, validated by Plotly."""
    figure = json.loads(
        FIGURES[name].template([each.info for each in runners], [each.label for each in runners]).to_json()
    )
    for path, value in FIGURES[name].patch(runners).items():
        place, *keys = path.split(".")
        at: Any = figure[place]
        for key in keys[:-1]:
            at = at[int(key)] if isinstance(at, list) else at.setdefault(key, {})
        at[keys[-1]] = value
    return go.Figure(figure)


@pytest.mark.parametrize(("case", "updates"), [*((case, 4) for case in CASES), ("three cells", 0)])
def test_every_figure_is_valid(case, updates):
    runners = race(case, updates)
    for name in applicable([each.info for each in runners]):
        figure = drawn(name, runners)
        assert "Infinity" not in figure.to_json() and figure.layout.margin.t >= (20 if figure.layout.showlegend else 0)


def test_a_patch_is_the_same_each_time_and_changes_no_frame():
    runners = race("three cells")
    before = pickle.dumps(runners)
    first = {name: pickle.dumps(figure.patch(runners)) for name, figure in FIGURES.items()}
    assert first == {name: pickle.dumps(figure.patch(runners)) for name, figure in FIGURES.items()}
    assert pickle.dumps(runners) == before


def test_a_figure_over_time_needs_time():
    names = applicable([each.info for each in race("one step")])
    assert set(FIGURES) - set(names) == {"race_gradient", "race_waterfall", "race_reach"}


def test_a_lane_looks_the_same_everywhere():
    runners = race("three cells")
    assert len({(look.colour, look.dash, look.mark) for look in LANES}) == len({look.dash for look in LANES}) == 3
    for name in ("race_loss", "race_update", "race_gradient"):
        traces = drawn(name, runners).data[:3]
        assert [(each.line.color, each.line.dash) for each in traces] == [(look.colour, look.dash) for look in LANES]
        assert [each.name for each in traces] == ["A · RNN", "B · GRU", "C · LSTM"]
    for name in ("race_cost", "race_reach"):
        assert list(drawn(name, runners).data[0].marker.color) == [look.colour for look in LANES]


def test_all_lanes_share_the_axes_and_show_their_own_numbers():
    runners = race("three cells")
    loss, gradient = drawn("race_loss", runners), drawn("race_gradient", runners)
    for place, each in enumerate(runners):
        assert loss.data[place].y == pytest.approx(each.curves.held_out["loss"], rel=1e-6)
        own = each.frame.grad_norm_cell if each.name == "LSTM" else each.frame.grad_norm  # there is one loss only
        assert gradient.data[place].y == pytest.approx(own[0, 0], rel=1e-6)
    assert loss.layout.xaxis.range == drawn("race_update", runners).layout.xaxis.range
    heat = drawn("race_waterfall", runners)
    assert [(each.zmin, each.zmax) for each in heat.data] == [(-12, 2)] * 3
    assert np.asarray(heat.data[2].z).shape == (5, 12) and list(heat.data[2].y) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1e-6, 1e-4, 0.02, 0.3, 1.0], (2, False)),  # 0.3 and 0.02 are above 1 %, 1e-4 is not
        ([0.5, 0.5, 0.5, 0.5, 1.0], (4, True)),
        ([0.0, 0.0, 0.0, 0.0, 1.0], (0, False)),
        ([0.0, 0.0, 0.0, 0.0, 0.0], (0, False)),
        ([np.inf, 1.0, 1.0, 1.0, 1.0], None),
    ],
)
def test_how_far_back_the_gradient_reaches(values, expected):
    lane = runner(ADDING.replace(seq_len=5), "A", 0)
    frame = dataclasses.replace(lane.frame, grad_norm_memory=np.array(values)[None, None])
    lane = dataclasses.replace(lane, frame=frame)
    assert norms(lane).tolist() == values and reach(lane) == expected


def test_what_leaves_the_axes_is_marked_and_says_whose_it_is():
    lanes = race("three cells")
    broken = dataclasses.replace(
        lanes[1].frame,
        held_out_loss=float("inf"),
        grad_norm_memory=np.full_like(lanes[1].frame.grad_norm_memory, np.nan),
    )
    gone = dataclasses.replace(lanes[0].frame, grad_norm_memory=np.zeros_like(lanes[0].frame.grad_norm_memory))
    runners = [
        dataclasses.replace(lanes[0], frame=gone), dataclasses.replace(lanes[1], frame=broken), lanes[2],
    ]  # fmt: skip
    loss = drawn("race_loss", runners)
    assert loss.data[3].marker.symbol == ("circle", "triangle-up", "diamond")
    assert 0.9 < loss.data[3].y[1] / loss.layout.yaxis.range[1] < 1
    gradient = drawn("race_gradient", runners)
    words = {each for trace in gradient.data[3:] for each in trace.customdata if each}
    assert words == {"A · RNN: exactly 0", "B · GRU: not finite"}
    assert list(drawn("race_reach", runners).data[0].text)[:2] == ["0 steps", "not finite"]


def test_costs_are_those_of_this_race():
    lanes = [dataclasses.replace(each, frame=dataclasses.replace(each.frame, seconds=0.008)) for each in race("two")]
    figure = drawn("race_cost", lanes)
    assert list(figure.data[0].text) == ["2.0 ms", "2.0 ms"]  # 8 ms for 4 updates
    assert list(figure.data[1].x) == [each.info.parameter_count for each in lanes]
    assert list(drawn("race_cost", race("two", 0)).data[0].text) == ["no update yet"] * 2


def test_an_absolute_gradient_has_another_title_than_the_relative_one():
    relative = gradient.FIGURE.title(runner(ADDING, "A").info)
    titles = {FIGURES["race_gradient"].title, on_other_data.BACK.title}
    assert relative not in titles and all("absolute" in title for title in titles)
