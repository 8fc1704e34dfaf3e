"""The eigenvalues beside the unit circle."""

from __future__ import annotations

import pytest

from app.figures import FIGURES, applicable, theme
from tests.app.figures.lens_cases import drawn, readout, seen, spectrum


def test_eigenvalues_stand_in_the_plane_beside_the_unit_circle():
    figure = drawn("plain", "spectrum", spectrum=spectrum())
    (points,) = figure["data"]
    assert (points["x"] + 1j * points["y"]).tolist() == [0.5 + 0.5j, 0.5 - 0.5j, -0.25]
    (circle,) = figure["layout"]["shapes"]
    assert circle["type"] == "circle" and [circle[end] for end in ("x0", "x1", "y0", "y1")] == [-1, 1, -1, 1]
    assert figure["layout"]["yaxis"]["scaleanchor"] == "x"
    assert readout("plain", "spectrum", spectrum=spectrum()) == "radius 0.71 · singular value 1.75"


@pytest.mark.parametrize(("value", "reach"), [(0.0, 1.5), (1.4, 1.5), (1.5, 3), (-5, 6), (7j, 12), (1e9, 1e6)])
def test_the_plane_grows_in_fixed_steps(value, reach):
    layout = drawn("plain", "spectrum", spectrum=spectrum([value]))["layout"]
    assert layout["xaxis"]["range"] == layout["yaxis"]["range"] == [-reach, reach]


def test_a_gate_has_its_own_shape_in_the_colour_of_the_recurrent_weights():
    figure = drawn("lstm", "spectrum")
    assert [trace["name"].replace(" ", "_") for trace in figure["data"]] == list(seen("lstm")[0].gates)
    for trace in figure["data"]:
        assert trace["marker"]["color"] == theme.W_HH and len(trace["x"]) == 5
    assert len({trace["marker"]["symbol"] for trace in figure["data"]}) == 4


def test_one_weight_per_unit_lies_on_the_real_axis():
    info = seen("indrnn")[0]
    (points,) = drawn("indrnn", "spectrum")["data"]
    assert points["name"] == "u" and len(points["x"]) == 5 and not points["y"].any()
    assert FIGURES["spectrum"].title(info) == "Eigenvalues of u"
    for text in (FIGURES["spectrum"].look_for(info), FIGURES["spectrum"].how(info)):
        assert "W_hh" not in text and "weight_hh" not in text


def test_no_recurrent_weights_no_plane_but_what_survives():
    for cell in ("linear", "linear_signed"):
        shown = applicable(seen(cell)[0])
        assert "spectrum" not in shown and "memory" in shown
