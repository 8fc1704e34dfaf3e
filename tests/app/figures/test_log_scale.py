"""Logarithms as colours, thinned heat maps, and shares in words."""

from __future__ import annotations

import numpy as np
import pytest

from app.figures import log_scale
from engine.number_format import share


def test_logarithms_leave_a_gap_for_nothing():
    drawn = log_scale.logarithms(np.array([1e-300, 1e-3, 1.0, 0.0, np.nan, np.inf]))
    assert drawn.dtype == np.float32
    assert drawn[:3].tolist() == pytest.approx([-300, -3, 0], abs=1e-5)
    assert np.isnan(drawn[3:5]).all() and drawn[5] == 308


@pytest.mark.parametrize(("rows", "columns"), [(1, 1000), (120, 40), (120, 1000), (64, 312), (500, 40)])
def test_a_heat_map_has_at_most_so_many_cells_and_keeps_both_ends(rows, columns):
    chosen = log_scale.drawn_rows(rows, columns)
    assert len(chosen) * columns <= 20_000 and (chosen[0], chosen[-1]) == (0, rows - 1)
    assert (np.diff(chosen) > 0).all() and (len(chosen) == rows or len(chosen) == 20_000 // columns)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.123, "12.3%"),
        (-0.05, "−5.0% (pulls the other way)"),
        (0.0, "exactly 0"),
        (3e-9, "1 part in 3.3e8"),
        (4e-4, "1 part in 2,500"),
        (-4e-4, "next to nothing"),
        (np.nan, "not finite"),
    ],
)
def test_shares_in_words(value, words):
    assert share(value) == words
