"""How long a change survives."""

from __future__ import annotations

import numpy as np
import pytest

from tests.app.figures.lens_cases import NAN, drawn, readout, seen, spectrum


def test_the_curve_begins_with_the_change_itself():
    figure = drawn("plain", "memory", spectrum=spectrum(norm=(0.5, 1e-20, 0.0)))
    line, points, below, zero, _ = figure["data"]
    assert line["x"].tolist() == [0, 1, 2, 11] and line["y"] == pytest.approx([1, 0.5, 1e-20, 0], rel=1e-6, abs=0)
    assert points["y"][:2].tolist() == [1, 0.5] and np.isnan(points["y"][2:]).all()
    assert np.isfinite(below["y"]).tolist() == [False, False, True, False]
    assert np.isfinite(zero["y"]).tolist() == [False, False, False, True]
    upright = [shape for shape in figure["layout"]["shapes"] if shape["x0"] == shape["x1"]]
    assert [shape["x0"] for shape in upright] == [seen("plain")[0].lag]
    assert [shape["y0"] for shape in figure["layout"]["shapes"] if shape not in upright] == [0.01]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {},
            "one step leaves less than half · 1% after 7.25 · the task needs 11 steps",
        ),  # on the line from 0.25 at 2 to 0.001 at 11
        ({"norm": (0.9, 0.9, 0.1)}, "one step leaves less than half · stays above 1% · the task needs 11 steps"),
        ({"norm": (1.0, 2.0, 5.0), "rate": 0.1}, "does not fade in 11 steps · the task needs 11 steps"),
        ({"norm": (1.0, 0.9, 0.8), "rate": -0.01}, "does not fade in 11 steps · the task needs 11 steps"),
        ({"rate": NAN}, "not finite"),
        ({"norm": (0.5, 0.0, 0.0), "rate": -np.inf}, "nothing is left after 2 steps · the task needs 11 steps"),
    ],
)
def test_how_long_it_survives_in_words(changes, words):
    assert readout("plain", "memory", spectrum=spectrum(**changes)) == words
