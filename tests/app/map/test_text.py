"""What the page "Map" says."""

from __future__ import annotations

import dataclasses

from app.map import text
from app.map.axes import Axis
from tests.app.map.small import CURVE, PLAN


def test_an_axis_that_changes_nothing_of_a_cell_is_named():
    biased = dataclasses.replace(PLAN, y=Axis.of("forget_bias", [0.0, 1.0]))
    assert text.without_effect(biased) == (
        "The forget bias changes nothing of RNN: RNN has no gate that keeps the old state."
    )
    assert text.without_effect(PLAN) == text.without_effect(CURVE) == ""


def test_the_gradients_scale_says_where_vanishing_begins():
    low, one = text.scales()["ratio"]["marks"]
    assert low == [5 / 12, "10⁻³"] and one == [8 / 12, "1"]
    assert text.scales()["loss"]["marks"] == []
