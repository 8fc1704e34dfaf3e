"""What holds for every live figure: what it draws is a figure that Plotly accepts, and drawing changes nothing."""

from __future__ import annotations

import itertools
import json
import pickle
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from plotly.basedatatypes import BasePlotlyType

from app.figures import FIGURES, Curves, Quantised, applicable, theme
from engine.experiment import Experiment
from engine.frame.readings import ON_DEMAND_READINGS
from engine.recording.history import History
from engine.tasks import TASKS
from engine.training import Trainer
from tests.app.figures.conftest import TINY, TITLES, cases, drawn, equal, over, pairs, plain, seen, template, written

KINDS = [(slug, kind) for slug, task in TASKS.items() for kind in task.rnn_types]
CATALOGUE = [(*KINDS[at], cell) for at in range(len(KINDS)) for cell in (list(TITLES) * 2)[at % len(TITLES) :][:2]]
"""Every task in each of its RNN types, with two of the cells in turn."""


@over(CATALOGUE, CATALOGUE[::2].__contains__)
def test_all_figures_draw_every_cell_and_every_task(task, kind, cell):
    trainer = Trainer(Experiment(task=task, rnn_type=kind, cell=cell, output_layers=1, **TINY))
    info, frame = trainer.info, trainer.frame(ON_DEMAND_READINGS)
    curves = Curves(updates=History().updates(), looks=History().looks())
    for figure in applicable(info).values():
        assert figure.template(info).data and figure.patch(info, frame, curves)
        assert figure.title(info) and figure.look_for(info)
        json.dumps(figure.readout(info, frame), allow_nan=False)


@pairs
def test_a_patched_template_is_a_figure(case, name):
    before, after = template(case, name), drawn(case, name)
    go.Figure(after)  # raises where Plotly does not know a property or cannot take its value
    assert [each["type"] for each in after["data"]] == [each["type"] for each in before["data"]]
    for old, new in zip(before["data"], after["data"], strict=True):
        if new["type"] == "heatmap":
            assert np.shape(new["z"]) == np.shape(old["z"]) and np.ndim(new["z"]) == 2
            rows, columns = np.shape(new["z"])
            assert "x" not in new or len(new["x"]) in (columns, columns + 1)
            assert "y" not in new or len(new["y"]) in (rows, rows + 1)
            assert "text" not in new or np.shape(new["text"]) == (rows, columns)
            assert np.isfinite([new["zmin"], new["zmax"]]).all() and new["zmin"] < new["zmax"]
        else:
            marker = new.get("marker", {})
            arrays = [new["x"], new["y"], new.get("text"), new.get("customdata"), marker.get("size"),
                      marker.get("symbol"), marker.get("color")]  # fmt: skip
            lengths = {len(each) for each in arrays if each is not None and not isinstance(each, (str, int, float))}
            assert len(lengths) == 1, lengths
    for axis in ("xaxis", "yaxis"):
        low, high = after["layout"][axis].get("range", (0, 1))
        assert np.isfinite([low, high]).all() and low < high


@pairs
def test_drawing_changes_nothing_gives_the_same_twice_can_be_sent_and_never_says_nan(case, name):
    info, frame, curves = seen(case)
    figure, before = FIGURES[name], (pickle.dumps((info, frame, curves)), written(plain(case, name)))
    once, twice = figure.patch(info, frame, curves), figure.patch(info, frame, curves)
    assert list(once) == list(twice) and all(equal(once[path], twice[path]) for path in once)
    for path, value in once.items():
        if isinstance(value, Quantised):
            assert value.values.dtype == np.int8 and np.isfinite(value.scale), path
        elif isinstance(value, np.ndarray):
            assert value.dtype == np.float32, path
        else:
            json.dumps(value, allow_nan=False)
    assert [each for each in words(once) if "nan" in each.lower()] == []
    text = figure.readout(info, frame)
    all_drawn = name == "unrolled" and info.time_steps <= 16  # then there is nothing to say
    assert isinstance(text, str) and (text == "" if all_drawn else text) and text == figure.readout(info, frame)
    assert "nan" not in text.lower().replace("finance", "")
    assert written(figure.template(info).to_plotly_json()) == before[1]
    assert pickle.dumps((info, frame, curves)) == before[0]


@pairs
def test_a_patch_builds_no_object_of_plotly(case, name):
    """They check every property, which takes longer than all the rest of a patch."""
    info, frame, curves = seen(case)
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(BasePlotlyType, "__init__", None)
        FIGURES[name].patch(info, frame, curves)
        FIGURES[name].readout(info, frame)


def words(value: Any) -> list[str]:
    """Every text inside a value."""
    if isinstance(value, str):
        return [value]
    values = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return list(itertools.chain.from_iterable(map(words, values)))


@cases
def test_figures_over_time_share_one_time_axis(case):
    layouts = [
        template(case, name)["layout"] for name, figure in applicable(seen(case)[0]).items() if figure.over == "time"
    ]
    places = {(*each["xaxis"]["range"], each["margin"]["l"], each["margin"]["r"]) for each in layouts}
    assert len(layouts) >= 3 and len(places) == 1
    low, high, *_ = places.pop()
    seq_len = seen(case)[0].time_steps
    air = 3.0 if seq_len == 1 else max(0.7, 0.014 * seq_len)  # so that the marks at both ends are whole
    assert (low, high) == pytest.approx((-air, seq_len - 1 + air))
    for figure in applicable(seen(case)[0]).values():
        assert "layout.xaxis.range" not in (figure.patch(*seen(case)) if figure.over == "time" else {})


def test_truncation_is_a_wall_where_the_gradient_ends():
    frame = seen("cut")[1]
    for name in ("unrolled", "gradient", "hidden", "gates", "cell"):
        walls = [each for each in drawn("cut", name)["layout"]["shapes"] if each["line"].get("color") == theme.INK]
        assert sorted(each["x0"] for each in walls) == [11 - 8 - 0.5, 11 - 4 - 0.5]
        assert all(each["x0"] == each["x1"] for each in walls)
    reached = np.flatnonzero(frame.sequence_grad_norm[0, 0])
    assert reached[0] - 0.5 == 11 - 4 - 0.5
    shapes = drawn("stacked", "unrolled")["layout"].get("shapes", [])
    assert [each for each in shapes if each["line"].get("color") == theme.INK] == []
