"""What is drawn of a map's measurements: squares, lines with their bands, theory's lines, the curves of one point."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from app.map import curves, figures, one_point, panels
from app.map.colours import COLOURS, RATIO
from app.map.lines import LINES, Lines
from app.map.results import Results
from engine.frame import RunInfo
from engine.many.measurement import Measurement
from engine.sweeps.success import wilson
from tests.app.map.small import CURVE, PLAN, measured

LINE = RunInfo.of(PLAN.experiments[0]).held_out_baseline


@pytest.fixture
def results() -> Results:
    found = Results(PLAN)
    found.add(measured(PLAN, 0, lambda number: LINE))
    found.add(measured(PLAN, 20, lambda number: LINE * (0.01 if number % 2 else 0.5), metric=1.0))
    return found


def test_a_square_has_the_median_of_its_seeds_or_the_share_that_solved(results):
    loss = panels.patch(results, 1, "loss", None)[panels.PANEL.path("map", "z")]
    assert loss.shape == (2, 3) and loss == pytest.approx(np.full((2, 3), 0.255), rel=1e-5)
    solved = panels.patch(results, 0, "solved", None)[panels.PANEL.path("map", "z")]
    assert solved.tolist() == [[0.5] * 3] * 2
    ratio = COLOURS["ratio"].of(results)
    assert ratio[1, 1, 2] == pytest.approx(np.log10([0.022, 0.023]).mean(), rel=1e-5)
    assert ratio.min() == pytest.approx((RATIO[0] + math.log10(0.001)) / 2)  # of the first point one has none


def test_what_was_not_measured_is_a_gap():
    drawn = panels.patch(Results(PLAN), 0, "solved", None)
    assert np.isnan(drawn[panels.PANEL.path("map", "z")]).all()
    assert np.isnan(curves.patch(Results(CURVE), "solved")["data.0.y"]).all()


def test_a_point_whose_networks_have_all_stopped_has_a_cross(results):
    number = PLAN.number(0, 1, 2)
    results.add([Measurement(each, 21, LINE, 0.1, 1.0, True, 0.1) for each in (number, number + 1)])
    drawn = panels.patch(results, 0, "loss", None)
    assert [drawn[panels.PANEL.path("diverged", axis)].tolist() for axis in "xy"] == [[2], [1]]
    assert results.step == 20


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("plan", [PLAN, CURVE])
def test_every_patch_names_what_its_template_has(plan, colour):
    found = Results(plan)
    found.add(measured(plan, 0, lambda number: LINE))
    drawn = figures.templates(plan)
    changed = figures.patches(found, colour, None)
    for name, scale in figures.scales(plan, colour).items():
        figure = drawn[name][1].to_plotly_json()
        for path in {**changed[name], **scale}:
            place, part = figure, path.split(".")[0]
            assert part in ("data", "layout")
            if part == "data":
                assert int(path.split(".")[1]) < len(place["data"])
    assert list(changed) == list(drawn)


def test_bands_are_wilsons_around_a_share_and_from_the_lowest_to_the_highest_seed_else():
    found = Results(CURVE)
    found.add(measured(CURVE, 40, lambda number: LINE * (0.01 if number % 4 == 0 else 0.2 * (number % 4)), metric=1.0))
    solved = curves.patch(found, "solved")
    low, high = wilson(1, 4)
    assert [solved[f"data.{part}.y"][1] for part in range(3)] == pytest.approx([low, high, 0.25])
    loss = curves.patch(found, "loss")
    assert [float(loss[f"data.{3 + part}.y"][0]) for part in range(3)] == pytest.approx([0.01, 0.6, 0.3], rel=1e-4)


def test_a_point_shows_the_curve_of_every_seed(results):
    number = PLAN.number(1, 0, 1)
    drawn = one_point.patch(results, range(number, number + 2))
    assert drawn["data.1.x"].tolist() == [0, 20] and drawn["data.1.y"] == pytest.approx([1, 0.01])
    assert len(one_point.template(PLAN).data) == 2


def test_theorys_lines_run_across_the_panels_that_have_them():
    asked = {}

    def measure_lines(experiments, gains):
        asked.update(experiments=experiments, gains=gains)
        return SimpleNamespace(result=None, error="")

    lines = Lines(PLAN, SimpleNamespace(measure_lines=measure_lines))
    assert asked["gains"] == PLAN.x.values
    assert [e.cell for e in asked["experiments"]] == ["rnn", "gru"]  # whatever the length, these are the same
    assert not lines.found and len(lines.of("radius", 0)[0]) == 0
    lines.measurement.result = (1.0, 0.5, math.sqrt(2)) + (math.nan,) * 3
    x, y = lines.of("radius", 0)
    assert x == pytest.approx([1, 1, 1, 1]) and y.tolist() == [-0.5, 0, 1, 1.5]
    assert lines.of("chaos", 0)[0] == pytest.approx([1.5] * 4) and lines.of("vanishing", 0)[0][0] == 0
    assert all(np.isnan(lines.of(name, 1)[0]).all() for name in LINES)
