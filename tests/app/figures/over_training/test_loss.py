"""The loss over training: its curves, its baselines and their names, and the losses of each sequence."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest

from app.figures import FIGURES
from engine.frame import RunInfo
from engine.number_format import short
from tests.app.figures.conftest import (
    CASES,
    NOT_FINITE,
    cases,
    decoded,
    drawn,
    f4,
    over,
    patched,
    seen,
    template,
    trace,
)


@cases
def test_each_baseline_is_a_dashed_line_at_its_value_with_its_name(case):
    info, layout = seen(case)[0], template(case, "loss")["layout"]
    lines = {(each["y0"], each["y1"], each["line"]["dash"]) for each in layout["shapes"]}
    assert lines == {(value, value, "dash") for value in info.held_out_baselines.values()} and lines
    names = [each["text"] for each in layout["annotations"]]
    assert names == [f"{name} {short(value)}" for name, value in info.held_out_baselines.items()]


@cases
def test_the_names_of_two_baselines_do_not_cover_each_other(case):
    """They stand right and left in turn; on a narrow screen they could meet, so none is level with another."""
    info, layout = seen(case)[0], drawn(case, "loss")["layout"]
    assert_apart(layout, info)
    sides = [each["xanchor"] for each in layout["annotations"]]
    assert sides == list(itertools.islice(itertools.cycle(["right", "left"]), len(info.held_out_baselines)))
    assert [each["x"] > 0.5 for each in layout["annotations"]] == [side == "right" for side in sides]


def assert_apart(layout: dict[str, Any], info: RunInfo) -> None:
    """A name is 16 pixels high, of some 130; each touches its line, or the name that does."""
    height = layout["yaxis"]["range"][1] * 16 / 130
    places = [
        (each["y"], value) for each, value in zip(layout["annotations"], info.held_out_baselines.values(), strict=True)
    ]
    for (one, _), (other, _) in itertools.combinations(places, 2):
        assert abs(one - other) >= height
    for y, value in places:
        near = [value, value - 1.1 * height, *(other + 1.1 * height for other, _ in places)]
        assert y >= 0 and min(abs(y - each) for each in near) < 0.1 * height


@pytest.mark.parametrize(
    "values", [(2.0, 1.9), (1.9, 2.0), (2.0, 2.0), (2.0, 0.5), (0.05, 0.1), (0.1, 0.05), (3.0, 2.9, 2.8)], ids=str
)
def test_names_of_close_baselines_stand_apart_on_any_axis(values):
    info, frame, curves = seen("stacked")
    info = dataclasses.replace(info, held_out_baselines={f"baseline {n}": value for n, value in enumerate(values)})
    plain = decoded(FIGURES["loss"].template(info).to_plotly_json())
    wild = curves.updates.copy()
    for loss in (0.1, 20.0):
        wild["loss"] = loss
        assert_apart(plain["layout"], info)
        patch = FIGURES["loss"].patch(info, frame, dataclasses.replace(curves, updates=wild))
        assert_apart(patched(plain, patch)["layout"], info)


def test_the_baselines_are_those_of_the_task():
    assert seen("step 0")[0].baselines == {"guessing": pytest.approx(np.log(10))}
    assert list(seen("adding-many_to_one-gru")[0].baselines.values()) == [pytest.approx(1 / 6), pytest.approx(1 / 12)]
    summed, mean = seen("sums")[0].baseline, seen("stocks-many_to_many-rnn")[0].baseline
    assert summed == pytest.approx(12 * mean)


@cases
def test_the_loss_curves_are_the_history(case):
    _, frame, curves = seen(case)
    training, probe = trace(case, "loss", "training batch"), trace(case, "loss", "held-out")
    assert training["x"].tolist() == curves.updates["step"].tolist()
    assert probe["x"].tolist() == curves.held_out["step"].tolist() and 0 in probe["x"]
    for drawn_line, truth in ((training["y"], curves.updates["loss"]), (probe["y"], curves.held_out["loss"])):
        known = np.isfinite(truth)
        assert np.array_equal(drawn_line[known], f4(truth[known]))
    low, high = drawn(case, "loss")["layout"]["xaxis"]["range"]
    assert low == 0 and high >= max(frame.step, 50)
    top = drawn(case, "loss")["layout"]["yaxis"]["range"][1]
    assert top > max(seen(case)[0].held_out_baselines.values())


def test_an_older_recording_without_held_out_record_shows_its_probe():
    info, frame, curves = seen("stacked")
    older = dataclasses.replace(curves, held_out=curves.held_out[:0])
    patch = FIGURES["loss"].patch(info, frame, older)
    assert patch["data.2.x"].tolist() == curves.looks["step"].tolist()
    assert np.array_equal(patch["data.2.y"], f4(curves.looks["probe_loss"]))
    info, frame, curves = seen("stocks-many_to_many-rnn")
    for held_out, line in ((curves.held_out, info.held_out_baseline), (curves.held_out[:0], info.baseline)):
        patch = FIGURES["loss"].patch(info, frame, dataclasses.replace(curves, held_out=held_out))
        assert patch["layout.shapes.0.y0"] == line and patch["layout.annotations.0.text"].endswith(short(line))
    assert info.held_out_baseline != info.baseline


def test_the_axis_has_room_for_all_but_the_wildest_losses():
    info, frame, curves = seen("stacked")
    baseline = max(info.held_out_baselines.values())
    updates = np.zeros(200, curves.updates.dtype)
    updates["step"], updates["loss"] = np.arange(1, 201), np.linspace(10, 0.1, 200) * baseline
    updates["loss"][[50, 150]] = 1000 * baseline  # one in a hundred
    patch = FIGURES["loss"].patch(info, frame, dataclasses.replace(curves, updates=updates))
    _, top = patch["layout.yaxis.range"]
    assert 9 < top / baseline < 20


# ---- the losses of which the newest look is the mean


@over(CASES)
def test_each_sequence_of_the_probe_has_a_mark_at_the_newest_step(case):
    _, frame, _ = seen(case)
    figure = drawn(case, "loss")
    marks, top = figure["data"][3], figure["layout"]["yaxis"]["range"][1]
    assert marks["name"] == f"each of the {len(frame.sequence_loss)} sequences"
    assert set(marks["x"]) == {frame.step} and len(marks["x"]) == len(frame.sequence_loss)
    inside = frame.sequence_loss <= top
    assert np.array_equal(marks["y"][inside], f4(frame.sequence_loss[inside]))
    assert (marks["y"] <= np.float32(top)).all()
    assert [each == "triangle-up" for each in marks["marker"]["symbol"]] == (~inside).tolist()
    assert case in NOT_FINITE or frame.sequence_loss.mean() == pytest.approx(frame.probe_loss, rel=1e-4)


def test_a_wild_sequence_points_up_from_the_edge_and_moves_no_axis():
    info, frame, curves = seen("stacked")
    losses = frame.sequence_loss.copy()
    losses[:3] = 1e6, np.inf, np.nan
    usual, wild = (
        FIGURES["loss"].patch(info, each, curves) for each in (frame, dataclasses.replace(frame, sequence_loss=losses))
    )
    assert wild["layout.yaxis.range"] == usual["layout.yaxis.range"]
    assert wild["data.3.marker.symbol"][:4] == ["triangle-up"] * 3 + ["line-ew"]
    assert np.isfinite(wild["data.3.y"]).all() and wild["data.3.customdata"][0].startswith(
        "one sequence 1.0e6, batch mean "
    )
