"""What holds for every figure of the lens: of any network, what it draws is a figure that Plotly accepts."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.figures import FIGURES, applicable, theme
from app.live.messages import pack
from tests.app.figures.conftest import patched, step_into
from tests.app.figures.lens_cases import EXPERIMENTS, LETTERS, NAMES, PAIRS, lost, pairs, seen, shown, template
from tests.cases import for_each

ROOT = Path(__file__).parents[3]


def test_they_stand_where_the_story_needs_them():
    order = [name for name in FIGURES if name in NAMES]
    assert order == list(NAMES)
    left, right = ([name for name in order if FIGURES[name].over == over] for over in ("time", "training"))
    assert left == list(NAMES[:5]) and right == list(NAMES[5:])
    assert list(FIGURES).index("hidden") < list(FIGURES).index("factors") < list(FIGURES).index("gates")


@for_each({"case": EXPERIMENTS})
def test_each_is_there_where_it_has_something_to_show(case):
    info, frame, _ = seen(case)
    there = set(applicable(info)) & set(NAMES)
    links, steps = info.has_links, info.time_steps
    has_eigenvalues = bool(frame.spectrum and frame.spectrum.eigenvalues)
    assert there == {"weights", "saliency"} | ({"spectrum"} if has_eigenvalues else set()) | (
        {"waterfall"} if steps > 1 else set()
    ) | ({"factors", "memory"} if links and steps > 1 else set()) | (
        {"decomposition"} if frame.counted.sum() > 1 else set()
    )


@for_each({"broken": [False, True], "case, name": PAIRS})
def test_a_figure_that_plotly_takes_and_that_can_be_sent(case, name, broken):
    info, frame, curves = lost(case) if broken else seen(case)
    figure = patched(template(case, name), FIGURES[name].patch(info, frame, curves))
    go.Figure(copy.deepcopy(figure))  # raises where Plotly does not know a property
    pack({name: FIGURES[name].patch(info, frame, curves)})  # and this one where a number cannot be sent
    for trace in figure["data"]:
        if trace["type"] == "heatmap":
            rows, columns = np.shape(trace["z"])
            assert columns == info.time_steps and len(trace["y"]) == rows
            assert np.shape(trace.get("customdata", trace["z"])) == (rows, columns)
        else:
            keys = ("x", "y", "customdata", "hovertext")
            assert len({len(trace[key]) for key in keys if trace.get(key) is not None}) == 1
    for axis in ("xaxis", "yaxis", "yaxis2"):
        low, high = figure["layout"].get(axis, {}).get("range", (0, 1))
        upside_down = figure["layout"].get(axis, {}).get("type") == "category" and (low, high) != (0, 1)
        assert np.isfinite([low, high]).all() and (low < high) != upside_down  # there the first row is at the top
    text = FIGURES[name].readout(info, frame)
    assert text and "nan" not in text.lower() and "inf" not in text.lower()
    assert "not finite" in text or not broken or (name == "memory" and "single step" in text)


@pairs
def test_drawing_changes_nothing(case, name):
    before = pickle.dumps(seen(case))
    once, twice = shown(case, name), shown(case, name)
    assert json.dumps(once, default=np.ndarray.tolist) == json.dumps(twice, default=np.ndarray.tolist)
    assert pickle.dumps(seen(case)) == before


@pairs
def test_a_frame_without_the_detail_changes_nothing_and_says_nothing(case, name):
    info, frame, curves = seen(case)
    needs = FIGURES[name].requires
    assert needs == {"decomposition": "decomposition", "saliency": "saliency", "spectrum": "spectrum",
                     "memory": "spectrum"}.get(name, "")  # fmt: skip
    if needs:
        bare = dataclasses.replace(frame, **{needs: None})
        assert FIGURES[name].patch(info, bare, curves) == {} and FIGURES[name].readout(info, bare) == ""


@pairs
def test_it_says_what_to_look_for_and_how_it_is_measured(case, name):
    info, figure = seen(case)[0], FIGURES[name]
    assert figure.title(info) and figure.label and 20 < len(figure.look_for(info)) < 150
    how = figure.how(info)
    assert 80 < len(how) < 420 and how.endswith(".")
    file, function = re.search(r"(engine/\w+(?:/\w+)*\.py), (\w+)\.$", how).groups()
    assert re.search(rf"^(def|class) {function}\b", (ROOT / file).read_text(), re.MULTILINE)


@for_each({"name": NAMES})
def test_what_can_be_fitted_is_there(name):
    figure = FIGURES[name].template(seen("letters, both ways, stacked")[0]).to_plotly_json()
    for path in FIGURES[name].fits:
        where, which = path.split(".")
        place = figure["data"][int(which)] if where == "data" else figure["layout"][which]
        assert (place["type"], where) in (("heatmap", "data"), ("log", "layout"))


@for_each({"case": EXPERIMENTS})
def test_those_over_time_share_the_time_axis(case):
    info = seen(case)[0]
    expected = theme.time_axis(info.time_steps)["range"]
    for name in set(applicable(info)) & set(NAMES[:5]):
        layout = template(case, name)["layout"]
        assert list(layout["xaxis"]["range"]) == expected
        assert {side: layout["margin"][side] for side in ("l", "r")} == theme.TIME_MARGIN
        assert ("padding" in json.dumps(layout.get("shapes", []))) == (not all(info.valid))


def test_every_patch_leads_into_its_template():
    """A path that leads nowhere would be made anew by the page, and drawn by nobody."""
    info, frame, curves = seen(LETTERS)
    for name in ("factors", "waterfall", "decomposition", "weights", "saliency", "spectrum", "memory"):
        for path in FIGURES[name].patch(info, frame, curves):
            place: Any = template(LETTERS, name)
            for key in path.split("."):
                if key not in ("showlegend", "dtick"):
                    place = step_into(place, key)
