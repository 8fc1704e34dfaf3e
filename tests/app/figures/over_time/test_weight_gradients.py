"""What the weights learn from each step."""

from __future__ import annotations

import numpy as np
import pytest

from app.figures import FIGURES
from engine.frame.readings import WeightGradients
from tests.app.figures.lens_cases import NAN, called, drawn, readout, row, seen, template


def terms(hh: np.ndarray, share: float = 0.25) -> WeightGradients:
    shares = np.linspace(1, 0, 12)[None, None]
    shares = np.where(np.arange(12) == 5, share, shares)
    return WeightGradients(hh=hh, ih=row(*[1e-2] * 12), hh_beyond=shares, ih_beyond=shares)


def test_bars_for_the_recurrent_weights_and_marks_where_they_leave_the_axis():
    figure = drawn("plain", "weights", weight_gradients=terms(row(0.0, 1e-20, *[1e-3] * 9, 1e11)))
    bars = called(figure, "dL/dW_hh")
    assert np.isnan(bars["y"][[0, 1, 11]]).all() and bars["y"][2:11] == pytest.approx(1e-3)
    for name, t, words in (("exactly 0", 0, "exactly 0"), ("below the axis", 1, "1.0e-20, below the axis"),
                           ("above the axis", 11, "1.0e11")):  # fmt: skip
        mark = called(figure, name)
        assert np.flatnonzero(np.isfinite(mark["y"])).tolist() == [t] and mark["customdata"][t] == words
        low, high = figure["layout"]["yaxis"]["range"]
        assert low < np.log10(mark["y"][t]) < high and mark["showlegend"]
    assert high > 8  # wide
    assert (called(figure, "dL/dW_ih")["y"] == np.float32(1e-2)).all()
    usual = drawn("plain", "weights", weight_gradients=terms(row(*[1e-3] * 12)))
    assert usual["layout"]["yaxis"]["range"] == template("plain", "weights")["layout"]["yaxis"]["range"]
    assert usual["layout"]["yaxis"]["range"][1] < 3


def test_the_share_from_far_back_is_that_beyond_half_of_what_the_task_needs():
    assert seen("plain")[0].lag == 11
    words = readout("plain", "weights", weight_gradients=terms(row(*[1.0] * 12)))
    assert words == "25.0% of dL/dW_hh from more than 5 steps back"
    assert readout("plain", "weights", weight_gradients=terms(row(*[0.0] * 12), NAN)) == "dL/dW_hh: no gradient"


def test_without_links_in_time_the_bars_are_those_of_the_inputs():
    figure = drawn("feedforward", "weights")
    (bars,) = (trace for trace in figure["data"] if trace["type"] == "bar")
    assert bars["name"] == "dL/dW_ih" and "dL/dW_ih" in readout("feedforward", "weights")


@pytest.mark.parametrize(("case", "bars", "beside"), [("indrnn", "u", ["dL/dW_ih"]), ("linear", "W_ih", [])])
def test_the_bars_are_named_after_the_weights_of_the_cell(case, bars, beside):
    figure = drawn(case, "weights")
    (drawn_bars,) = (trace for trace in figure["data"] if trace["type"] == "bar")
    assert drawn_bars["name"] == f"dL/d{bars}" and f"dL/d{bars} " in readout(case, "weights")
    assert [trace["name"] for trace in figure["data"] if trace.get("marker", {}).get("symbol") == "diamond"] == beside
    assert "W_hh" not in FIGURES["weights"].how(seen(case)[0])
