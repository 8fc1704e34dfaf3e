"""The figures of the lens over values made by hand: every number and mark stands where it belongs."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from app.figures import FIGURES, Curves, theme
from engine.readings import Decomposition, JacobianProducts, Saliency, Spectrum, StepFactors, WeightGradients
from tests.app.test_figures import patched, step_into
from tests.app.test_figures_lens import seen, template

NAN = math.nan


def row(*values: float) -> np.ndarray:
    """(1, 1, T): of one layer and one direction."""
    return np.array(values, np.float64)[None, None]


def drawn(case: str, name: str, curves: Curves | None = None, **changes: Any) -> dict[str, Any]:
    info, frame, own = seen(case)
    return patched(
        template(case, name), FIGURES[name].patch(info, dataclasses.replace(frame, **changes), curves or own)
    )


def said(case: str, name: str, **changes: Any) -> str:
    info, frame, _ = seen(case)
    return FIGURES[name].readout(info, dataclasses.replace(frame, **changes))


def called(figure: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (each for each in figure["data"] if each.get("name") == name)
    return found


# ---- who shrank it: 3 steps of the plain cell, 4 of the gated one, the rest beyond the loss


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
    words = said("plain", "factors", factors=plain_factors())
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
    assert "nothing passes t =" in said("cut", "factors", factors=StepFactors(values, values, values, {}))


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
    assert said("gru", "factors", factors=StepFactors(factor, None, None, shares)).startswith(
        "per step × 0.80 · 125.0%"
    )


def test_the_step_before_padding_is_the_last_real_one():
    frame = seen("encoder-decoder")[1]
    real = np.flatnonzero(frame.valid)
    before = called(drawn("encoder-decoder", "factors"), "factor")["customdata"][:, 0]
    assert before[real[1:]].tolist() == real[:-1].tolist()
    assert np.isnan(before[~frame.valid]).all() and np.isnan(before[real[0]])


# ---- how far the gradient reaches


def waterfall(steps: list[int], norms: np.ndarray) -> Curves:
    return dataclasses.replace(seen("plain")[2], waterfall=(np.array(steps), norms))


def test_rows_lie_at_their_training_steps():
    norms = np.array([[10.0**-t for t in range(12)], [0.0] * 6 + [1.0] * 6, [1e-9] * 12])
    figure = drawn("plain", "waterfall", curves=waterfall([0, 10, 45], norms))
    (heat,) = figure["data"]
    assert heat["y"].tolist() == [0, 10, 45]
    assert heat["z"][0].tolist() == pytest.approx(range(0, -12, -1), abs=1e-6)
    assert np.isnan(heat["z"][1, :6]).all() and (heat["z"][1, 6:] == 0).all() and (heat["z"][2] == -9).all()
    assert (heat["zmin"], heat["zmax"], heat["meta"]) == (-12, 2, "decades") and "decades" in theme.SCALES
    assert figure["layout"]["yaxis"]["tickvals"] == [0, 10, 20, 30, 40]


def test_rows_are_thinned_and_padding_stays_empty():
    steps = [3 * each for each in range(120)]
    (heat,) = drawn("infinite", "waterfall", curves=waterfall(steps, np.ones((120, 300))))["data"]
    assert heat["z"].size <= 20_000 and heat["y"][[0, -1]].tolist() == [0, 357]
    info, frame, _ = seen("encoder-decoder")
    (heat,) = drawn("encoder-decoder", "waterfall", curves=waterfall([0], np.ones((1, info.time_steps))))["data"]
    assert np.isnan(heat["z"][0]).tolist() == (~frame.valid).tolist()


def test_before_any_look_there_is_an_empty_row():
    (heat,) = drawn("plain", "waterfall", curves=waterfall([], np.zeros((0, 0))))["data"]
    assert np.shape(heat["z"]) == (1, 12) and np.isnan(heat["z"]).all()


@pytest.mark.parametrize(
    ("norms", "words"),
    [
        ([1e-4 * 0.5 ** (11 - t) for t in range(12)], "now below 1% after 7 steps back"),  # 2^-7 is 0.8 %
        ([1.0] * 12, "now above 1% all the way"),
        ([0.0] * 12, "now exactly 0 at the loss"),
        ([NAN] * 12, "not finite"),
    ],
)
def test_how_far_it_reaches_now(norms, words):
    assert said("plain", "waterfall", grad_norm_memory=row(*norms)) == words


# ---- loss by loss


def losses(cosine: float = -0.5) -> Decomposition:
    """Of the letters: 12 losses; each sends 10^-lag, the last one against the others at t = 0."""
    lag = np.arange(12)[:, None] - np.arange(12)
    norms, cosines = np.where(lag >= 0, 10.0**-lag, 0.0), np.where(lag >= 0, 0.9, NAN)
    cosines[11, 0] = cosine
    chains = (2, 2, 12, 12)
    return Decomposition(np.arange(12), np.broadcast_to(norms, chains).copy(), np.broadcast_to(cosines, chains).copy())


LETTERS = "letters, both ways, stacked"


def test_a_row_for_every_loss_and_a_dot_where_it_pulls_against_the_others():
    heat, dots = drawn(LETTERS, "decomposition", decomposition=losses())["data"]
    assert list(heat["y"]) == [str(k) for k in range(12)]
    below = np.tril(np.ones((12, 12), bool))
    assert np.isnan(heat["z"][~below]).all() and np.isfinite(heat["z"][below]).all()
    assert heat["z"][7, 4] == -3 and heat["customdata"][11, 0] == -0.5
    assert (dots["x"].tolist(), list(dots["y"])) == ([0.0], ["11"])
    assert len(drawn(LETTERS, "decomposition", decomposition=losses(-0.05))["data"][1]["x"]) == 0


def test_what_the_last_loss_contributes():
    whole = np.full((2, 2, 12), 2e-11)
    words = said(LETTERS, "decomposition", decomposition=losses(), sequence_grad_norm=whole)
    assert words == f"step {seen(LETTERS)[1].step} · last loss: -25.0% of dL/dh at t = 0"  # 1e-11 * -0.5 / 2e-11


# ---- what the weights learn from each step


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
    words = said("plain", "weights", weight_gradients=terms(row(*[1.0] * 12)))
    assert words == "25.0% of dL/dW_hh from more than 5 steps back"
    assert said("plain", "weights", weight_gradients=terms(row(*[0.0] * 12), NAN)) == "dL/dW_hh: no gradient"


def test_without_links_in_time_the_bars_are_those_of_the_inputs():
    figure = drawn("feedforward", "weights")
    (bars,) = (trace for trace in figure["data"] if trace["type"] == "bar")
    assert bars["name"] == "dL/dW_ih" and "dL/dW_ih" in said("feedforward", "weights")


# ---- what each answer looks at


def looks(**changes: Any) -> Saliency:
    norms = np.tril(np.ones((12, 12))) * 10.0 ** -np.arange(11, -1, -1)
    fields = {"steps": np.arange(12), "norms": norms, "occluded": np.array([NAN] * 10 + [0.2, 0.8])}
    return Saliency(**{**fields, **changes})


def test_the_last_answer_stands_above_the_triangle():
    figure = drawn("plain", "saliency", saliency=looks())
    heat, bars, circles = figure["data"]
    assert np.isnan(heat["z"][np.triu_indices(12, 1)]).all() and heat["z"][11, 2] == -9
    assert bars["y"].tolist() == pytest.approx([10.0 ** (t - 11) for t in range(12)])
    assert np.isnan(circles["y"][:10]).all() and circles["y"][10:].tolist() == [0.25, 1]
    assert circles["customdata"][10:].tolist() == pytest.approx([0.2, 0.8])
    assert bars["yaxis"] == circles["yaxis"] == "y2" and not heat.get("xaxis") and not bars.get("xaxis")
    upper, lower = figure["layout"]["yaxis2"]["domain"], figure["layout"]["yaxis"]["domain"]
    assert lower[1] < upper[0] and lower[0] == 0 and upper[1] == 1


def test_what_was_read_stands_below_and_in_the_hover():
    info, frame, _ = seen("plain")
    figure = drawn("plain", "saliency", saliency=looks())
    read = [info.input_labels[token] for token in frame.inputs]
    assert list(figure["layout"]["xaxis"]["ticktext"]) == read
    assert list(figure["data"][1]["hovertext"]) == [f" “{each}”" for each in read]
    assert all("t = %{x:d}" in trace["hovertemplate"] for trace in figure["data"])  # without :d the word stands there


@pytest.mark.parametrize(
    ("last", "words"),
    [
        ([0.02] + [0.1] * 10 + [0.2], "t = 0: 10.0% of the strongest, t = 11"),
        ([0.3] + [0.1] * 11, "strongest: the first input, t = 0"),
        ([0.0] * 12, "no input changes the last answer"),
        ([0.0] + [0.1] * 11, "t = 0: exactly 0 of the strongest, t = 1"),
        ([NAN] * 12, "not finite"),
    ],
)
def test_the_first_input_beside_the_strongest(last, words):
    reading = looks(steps=np.array([11]), norms=np.array([last]))
    assert said("plain", "saliency", saliency=reading) == f"step {seen('plain')[1].step} · {words}"
    assert np.nan_to_num(drawn("plain", "saliency", saliency=reading)["data"][1]["y"]).max() in (0, 1)


# ---- eigenvalues, and how long a change survives


def spectrum(values: list[complex] | None = None, norm: tuple[float, ...] = (0.5, 0.25, 1e-3), rate: float = -1.0):
    lags = np.array([1, 2, 11])
    products = JacobianProducts(lags, row(*norm), row(NAN, NAN, NAN)[..., None], row(NAN, NAN, NAN), row(rate))
    values = [0.5 + 0.5j, 0.5 - 0.5j, -0.25] if values is None else values
    return Spectrum({"hidden": np.array(values)[None, None]}, {"hidden": np.array([[1.75]])}, products)


def test_eigenvalues_stand_in_the_plane_beside_the_unit_circle():
    figure = drawn("plain", "spectrum", spectrum=spectrum())
    (points,) = figure["data"]
    assert (points["x"] + 1j * points["y"]).tolist() == [0.5 + 0.5j, 0.5 - 0.5j, -0.25]
    (circle,) = figure["layout"]["shapes"]
    assert circle["type"] == "circle" and [circle[end] for end in ("x0", "x1", "y0", "y1")] == [-1, 1, -1, 1]
    assert figure["layout"]["yaxis"]["scaleanchor"] == "x"
    assert said("plain", "spectrum", spectrum=spectrum()) == "radius 0.71 · singular value 1.75"


@pytest.mark.parametrize(("value", "reach"), [(0.0, 1.5), (1.4, 1.5), (1.5, 3), (-5, 6), (7j, 12), (1e9, 1e6)])
def test_the_plane_grows_in_fixed_steps(value, reach):
    layout = drawn("plain", "spectrum", spectrum=spectrum([value]))["layout"]
    assert layout["xaxis"]["range"] == layout["yaxis"]["range"] == [-reach, reach]


def test_a_gate_has_its_own_colour_and_shape():
    figure = drawn("lstm", "spectrum")
    assert [trace["name"].replace(" ", "_") for trace in figure["data"]] == list(seen("lstm")[0].gates)
    for trace, gate in zip(figure["data"], seen("lstm")[0].gates, strict=True):
        assert trace["marker"]["color"] == theme.GATES[gate] and len(trace["x"]) == 5
    assert len({trace["marker"]["symbol"] for trace in figure["data"]}) == 4


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
        ({}, "halves every 0.69 steps · 1% after 7.25 · needs 11"),  # on the line from 0.25 at 2 to 0.001 at 11
        ({"norm": (0.9, 0.9, 0.1)}, "halves every 0.69 steps · stays above 1% · needs 11"),
        ({"norm": (1.0, 2.0, 5.0), "rate": 0.1}, "does not fade in 11 steps · needs 11"),
        ({"norm": (1.0, 0.9, 0.8), "rate": -0.01}, "does not fade in 11 steps · needs 11"),
        ({"rate": NAN}, "not finite"),
    ],
)
def test_how_long_it_survives_in_words(changes, words):
    assert said("plain", "memory", spectrum=spectrum(**changes)) == words


def test_every_patch_leads_into_its_template():
    """A path that leads nowhere would be made anew by the page, and drawn by nobody."""
    info, frame, curves = seen(LETTERS)
    for name in ("factors", "waterfall", "decomposition", "weights", "saliency", "spectrum", "memory"):
        for path in FIGURES[name].patch(info, frame, curves):
            place: Any = template(LETTERS, name)
            for key in path.split("."):
                if key not in ("showlegend", "dtick"):
                    place = step_into(place, key)
