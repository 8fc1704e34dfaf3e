"""Past runs beside the present one: each in every figure that can compare them, in its own look, under its own name."""

from __future__ import annotations

import dataclasses

import numpy as np
import plotly.graph_objects as go
import pytest

from app.figures import FIGURES, theme
from app.live import past_runs
from app.live.component import templates
from app.past_runs import KeptRun, snapshot
from tests.app.figures.conftest import f4, seen
from tests.app.live.conftest import decoded, run_of, slot_of
from tests.app.live.test_feed import watching

NOW, BEFORE, OTHER = (
    "first_symbol_recall-many_to_one-lstm", "first_symbol_recall-many_to_one-rnn", "adding-many_to_one-rnn",
)  # fmt: skip


def kept(case: str, name: str) -> KeptRun:
    run = run_of(case)
    one = snapshot(run, run.frame, 0.0)
    one.name = name
    return one


RUNS = {0: kept(BEFORE, "<b>mine</b> & I"), 2: kept(OTHER, "other data")}


@pytest.mark.parametrize("name", ["gradient", "loss", "update"])
def test_each_has_a_trace_of_its_own_with_its_look_and_its_name_as_text(name):
    info = seen(NOW)[0]
    plain = next(each for each in templates(info.experiment, None) if each["name"] == name)
    (drawn,) = past_runs.with_traces([plain], info, RUNS)
    own = len(plain["figure"]["data"])
    mine, other = drawn["figure"]["data"][own:]
    go.Figure(drawn["figure"])
    assert mine["name"] == "&lt;b&gt;mine&lt;/b&gt; &amp; I"
    assert (mine["line"]["color"], mine["line"]["dash"]) == theme.PAST_RUNS[0]
    assert (other["line"]["color"], other["line"]["dash"]) == theme.PAST_RUNS[2]
    grown, before = (each["figure"]["layout"] for each in (drawn, plain))
    assert grown["height"] - before["height"] == grown["margin"]["t"] - before["margin"]["t"] >= 0
    patch = past_runs.beside(FIGURES[name], info, RUNS, own)
    assert {path.split(".")[1] for path in patch} == {str(own)}  # the other has data of another kind
    assert patch[f"data.{own}.showlegend"] is True and len(patch[f"data.{own}.x"]) == len(patch[f"data.{own}.y"]) > 0


def test_figures_that_draw_none_of_them_stay_as_they_are():
    info = seen(NOW)[0]
    before = templates(info.experiment, None)
    changed = [
        new["name"]
        for old, new in zip(before, past_runs.with_traces(before, info, RUNS), strict=True)
        if new is not old
    ]
    assert changed == [name for name in FIGURES if FIGURES[name].past_line(info, RUNS[0].past) is not None]
    assert {"gradient", "loss", "update"} <= set(changed)
    assert all(new is old for old, new in zip(before, past_runs.with_traces(before, info, {1: RUNS[2]}), strict=True))


def test_a_long_name_keeps_its_beginning_and_its_end():
    assert past_runs.shortened("RNN, 6 units, seed 9429", 16) == "RNN, 6…seed 9429"
    assert past_runs.shortened("GRU, 24 units", 16) == "GRU, 24 units"


def test_they_come_with_the_first_frame():
    slot = slot_of(NOW, ghost=BEFORE)
    slot.beside = RUNS
    first = decoded(watching(slot).frame())
    own = len(
        next(each for each in templates(slot.run.info.experiment, None) if each["name"] == "loss")["figure"]["data"]
    )
    steps, losses = RUNS[0].past.curves.held_out_loss
    assert first[f"loss.data.{own}.x"].tolist() == steps.tolist()
    assert np.array_equal(first[f"loss.data.{own}.y"], f4(losses))
    assert first["loss.data.0.name"] == "before: RNN"  # the grey line stays


@pytest.mark.parametrize("name", ["loss", "update", "ratio"])
def test_the_axis_of_training_reaches_as_far_as_they_do(name):
    info, frame, curves = seen(NOW)
    long = np.array([(1, 0.5), (2000, 0.5)], [("step", int), ("loss", float)])
    updates = np.zeros(2, RUNS[0].past.curves.updates.dtype)
    updates["step"] = 1, 2000
    ratio = np.array([(1, 0.5), (2000, 0.5)], [("step", int), ("ratio", float)])
    past = dataclasses.replace(RUNS[0].past.curves, updates=updates, held_out=long, ratios=ratio)
    run = dataclasses.replace(RUNS[0], past=dataclasses.replace(RUNS[0].past, curves=past))
    until = past_runs.reaches(FIGURES[name], info, {0: run, 1: RUNS[2]})
    assert until == 2000 and past_runs.reaches(FIGURES[name], info, {1: RUNS[2]}) == 0
    patch = FIGURES[name].patch(info, frame, dataclasses.replace(curves, reaches=until))
    assert patch["layout.xaxis.range"][1] >= 2000


def test_a_longer_past_run_stretches_the_axis_of_the_first_frame():
    slot = slot_of(NOW)
    steps, losses = np.array([0, 5000]), np.array([1.0, 0.5])
    held_out = np.array(list(zip(steps, losses, strict=True)), [("step", int), ("loss", float)])
    curves = dataclasses.replace(RUNS[0].past.curves, held_out=held_out)
    slot.beside = {0: dataclasses.replace(RUNS[0], past=dataclasses.replace(RUNS[0].past, curves=curves))}
    assert decoded(watching(slot).frame())["loss.layout.xaxis.range"][1] >= 5000


def test_the_previous_run_is_not_drawn_in_grey_where_it_has_its_own_colour():
    slot = slot_of(NOW, ghost=BEFORE)
    slot.ghost, slot.beside = dataclasses.replace(slot.ghost, past_id=RUNS[0].id), RUNS
    first = decoded(watching(slot).frame())
    assert {path for path in first if ".data.0." in path and path.endswith("showlegend")} == set()
    assert any(path.startswith("loss.") and path.endswith("showlegend") for path in first)
