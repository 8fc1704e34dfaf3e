"""The previous run, drawn in grey."""

from __future__ import annotations

import itertools

import numpy as np
import plotly.graph_objects as go
import pytest

from app.figures import FIGURES, PastRun, Patch
from app.ghost import Ghost
from app.live.past_runs import previous_run
from engine.frame import RunInfo
from engine.recording.history import History
from tests.app.figures.conftest import CASES, TITLES, f4, over, patched, seen, template

FLOOR = 1e-12  # where the gradient's axis ends


def ghost(name: str, now: str, before: str) -> Patch:
    info, (old, frame, curves) = seen(now)[0], seen(before)
    return previous_run(FIGURES[name], info, Ghost(old, frame, History()), curves)


@pytest.mark.parametrize("name", ["gradient", "loss", "update"])
@over(CASES)
def test_the_previous_run_is_drawn_in_a_place_of_its_own(case, name):
    """Over the frame, as the first message of a stream sends both."""
    info, frame, curves = seen(case)
    grey, own = ghost(name, case, case), FIGURES[name].patch(info, frame, curves)
    assert grey and not grey.keys() & own.keys()
    figure = patched(patched(template(case, name), own), grey)
    go.Figure(figure)
    line = figure["data"][0]
    assert (line["name"], line["showlegend"]) == (f"before: {TITLES[info.experiment.cell]}", True)
    assert template(case, name)["data"][0]["showlegend"] is False
    assert len(line["x"]) == len(line["y"])


@pytest.mark.parametrize("name", ["gradient", "loss", "update"])
def test_the_ghost_is_named_after_the_previous_runs_cell(name):
    for now, before in itertools.permutations(TITLES, 2):
        grey = ghost(name, f"first_symbol_recall-many_to_one-{now}", f"first_symbol_recall-many_to_one-{before}")
        assert grey["data.0.name"] == f"before: {TITLES[before]}"


def test_the_ghost_is_the_previous_run():
    now, before = "stacked", "first_symbol_recall-many_to_one-rnn"
    _, frame, curves = seen(before)
    loss, update = ghost("loss", now, before), ghost("update", now, before)
    assert np.array_equal(loss["data.0.y"], f4(curves.held_out["loss"]))
    assert loss["data.0.x"].tolist() == curves.held_out["step"].tolist()
    assert np.array_equal(update["data.0.y"], f4(curves.updates["param_grad_norm"]))
    size = frame.relative[-1, 0]
    shown = ghost("gradient", "first_symbol_recall-many_to_one-lstm", before)["data.0.y"]
    assert np.array_equal(shown[size >= FLOOR], f4(size[size >= FLOOR])) and len(shown) == len(size)


@pytest.mark.parametrize(
    ("name", "now", "before", "comparable"),
    [
        ("gradient", "stacked", "both ways", False),  # 24 steps after 30
        ("gradient", "first_symbol_recall-many_to_one-lstm", "first_symbol_recall-many_to_one-rnn", True),
        ("loss", "stacked", "both ways", True),
        ("loss", "stacked", "adding-many_to_one-rnn", False),
        ("loss", "sums", "stocks-many_to_many-rnn", False),
        ("gradient", "characters-many_to_many-lstm", "first_symbol_recall-many_to_one-lstm", False),  # 40 steps both
        ("update", "stacked", "adding-many_to_one-rnn", False),
        ("update", "stacked", "both ways", True),
    ],
)
def test_the_previous_run_is_drawn_only_where_it_can_be_compared(name, now, before, comparable):
    assert bool(ghost(name, now, before)) is comparable


def test_a_sum_over_more_steps_is_another_loss():
    info, frame, curves = seen("sums")
    longer = RunInfo.of(info.experiment.replace(seq_len=20))
    assert FIGURES["loss"].past_line(longer, PastRun(info, frame, curves)) is None
