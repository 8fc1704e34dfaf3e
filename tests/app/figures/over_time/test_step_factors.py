"""Who shrank it: 3 steps of the plain cell, 4 of the gated one, the rest beyond the loss."""

from __future__ import annotations

import math

import numpy as np
import pytest

from app.figures import FIGURES
from app.figures.over_time import step_factors
from engine.frame.readings import StepFactors
from tests.app.figures.lens_cases import EXPERIMENTS, NAN, called, drawn, readout, row, seen


def plain_factors() -> StepFactors:
    weights, slope = (row(NAN, *values, *[NAN] * 8) for values in ((2.0, 1.0, 0.5), (0.25, 0.5, 0.5)))
    return StepFactors(weights * slope, slope, weights, {})


def test_the_factor_is_drawn_as_the_product_of_two():
    figure = drawn("plain", "factors", factors=plain_factors())
    factor = called(figure, "factor")
    assert factor["y"][1:4].tolist() == [0.5, 0.5, 0.25] and np.isnan(factor["y"][[0, *range(4, 12)]]).all()
    assert called(figure, "weights")["y"][1:4].tolist() == [2, 1, 0.5]
    assert called(figure, "slope")["y"][1:4].tolist() == [0.25, 0.5, 0.5]
    assert factor["customdata"][3].tolist() == [2, 0.25, 0.5, 0.5]  # t = 3 to 2: 0.25 = 0.5 x 0.5
    assert figure["layout"]["yaxis"]["range"] == [0, 3]  # 2 exceeds 1.5
    assert any(shape["y0"] == shape["y1"] == 1 for shape in figure["layout"]["shapes"])


def test_the_geometric_means_multiply_to_that_of_the_factor():
    words = readout("plain", "factors", factors=plain_factors())
    # the cube roots of 1/16, of 1 and of 1/16; 2 * 0.5^2 + 0.75^2
    assert words == "per step × 0.40 = 1.00 (weights) × 0.40 (slope) · Ω 1.06"


@pytest.mark.parametrize(
    ("highest", "top"), [(1.0, 1.5), (1.5, 1.5), (1.6, 3), (9.9, 10), (1e3, 1e4), (1e9, 1e6), (math.inf, 1.5)]
)
def test_the_axis_of_the_factors_grows_in_fixed_steps(highest, top):
    values = row(NAN, *[highest] * 11)
    figure = drawn("plain", "factors", factors=StepFactors(values, values, values, {}))
    assert figure["layout"]["yaxis"]["range"] == [0, top]
    assert np.nanmax(np.abs([trace["y"][1:] for trace in figure["data"][:3]])) <= 10 * top


def test_a_single_wild_step_does_not_flatten_the_others():
    values = np.full((1, 1, 300), 0.9)
    values[..., 7] = 1e5
    figure = drawn("infinite", "factors", factors=StepFactors(values, values, values, {}))
    assert figure["layout"]["yaxis"]["range"] == [0, 1.5]


def test_a_cut_is_marked_and_counted():
    values = row(NAN, 0.5, 0.0, *[0.5] * 8)
    figure = drawn("cut", "factors", factors=StepFactors(values, values, values, {}))
    zero = called(figure, "exactly 0")
    assert np.flatnonzero(np.isfinite(zero["y"])).tolist() == [2] and zero["showlegend"]
    assert "exactly 0" in zero["customdata"][2] and np.isnan(called(figure, "factor")["y"][2])
    assert "no gradient passes t =" in readout("cut", "factors", factors=StepFactors(values, values, values, {}))


def test_the_bars_of_a_gated_cell_are_as_high_as_the_factor():
    factor, kept, candidate = (row(NAN, *[value] * 11) for value in (0.8, 1.25, -0.5))
    shares = {"kept": kept, "candidate": candidate, "gates": 1 - kept - candidate}
    figure = drawn("gru", "factors", factors=StepFactors(factor, None, None, shares))
    bars = [trace for trace in figure["data"] if trace["type"] == "bar"]
    assert [bar["name"] for bar in bars] == ["kept", "candidate", "gates"]
    assert figure["layout"]["barmode"] == "relative"  # what pulls against the others hangs below 0
    assert [float(bar["y"][5]) for bar in bars] == pytest.approx([1.0, -0.4, 0.2])
    assert sum(bar["y"][5] for bar in bars) == pytest.approx(0.8) == called(figure, "factor")["y"][5]
    assert figure["layout"]["yaxis"]["range"] == [-0.5, 1.5]
    assert called(figure, "factor")["customdata"][5].tolist() == pytest.approx([4, 0.8, 1.25, -0.5, 0.25])
    assert readout("gru", "factors", factors=StepFactors(factor, None, None, shares)).startswith(
        "per step × 0.80 · 125.0%"
    )


def test_the_step_before_padding_is_the_last_real_one():
    frame = seen("encoder-decoder")[1]
    real = np.flatnonzero(frame.valid)
    before = called(drawn("encoder-decoder", "factors"), "factor")["customdata"][:, 0]
    assert before[real[1:]].tolist() == real[:-1].tolist()
    assert np.isnan(before[~frame.valid]).all() and np.isnan(before[real[0]])


def test_a_single_path_is_the_whole_factor():
    figure, (_, frame, _) = drawn("linear", "factors"), seen("linear")
    (bar,) = (trace for trace in figure["data"] if trace["type"] == "bar")
    factor = frame.factors.factor[-1, 0]
    assert bar["name"] == "kept" and np.allclose(bar["y"][1:], factor[1:], rtol=1e-5)
    assert "kept" not in readout("linear", "factors") and readout("linear", "factors").startswith("per step × ")


def test_weights_and_slope_of_a_cell_with_a_vector():
    how = FIGURES["factors"].how(seen("indrnn")[0])
    assert "the factor of u." in how and "W_hh" not in how
    assert "the factor of W_hh." in FIGURES["factors"].how(seen("plain")[0])


def test_the_paths_are_those_of_the_lens():
    for case, e in EXPERIMENTS.items():
        info, frame, _ = seen(case)
        if info.has_links:
            assert set(step_factors.paths_of(info)) == set(frame.factors.shares), e.cell
