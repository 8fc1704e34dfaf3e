"""The gradient over time: its bars, its marks where they leave the axis, its legend and its readout."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from app.figures import FIGURES
from engine.number_format import short
from engine.tasks import probe
from tests.app.figures.conftest import (
    NOT_FINITE,
    REPRESENTATIVE,
    cases,
    drawn,
    f4,
    finite,
    seen,
    template,
)

FLOOR, TOP = 1e-12, 1e8  # what the gradient's axis shows at its widest
USUAL_TOP = 1e2  # and where it ends in a frame whose bars all stay below


def shown_norms(case: str, name: str) -> np.ndarray:
    """The median over the probe; of the drawn sequence alone where the sequences are not alike. NaN in padding."""
    info, frame, _ = seen(case)
    batch = probe(info.experiment)
    rows = [*batch.valid.T, *batch.counted.T]
    alike = len({tuple(row) for row in batch.valid.T}) == len({tuple(row) for row in batch.counted.T}) == 1
    assert info.same_lengths is alike and len(rows) == 32
    return np.where(frame.valid, getattr(frame, name if alike else f"sequence_{name}"), np.nan)


@finite
def test_bars_are_the_gradient_of_the_top_layer(case):
    info, total = seen(case)[0], shown_norms(case, "grad_norm")[-1, 0]
    (bars,) = (each for each in drawn(case, "gradient")["data"] if each["type"] == "bar")
    assert bars["x"].tolist() == list(range(info.time_steps))
    inside = (total >= FLOOR) & (total <= TOP)
    assert np.array_equal(bars["y"][inside], f4(total[inside]))
    assert np.isnan(bars["y"][~(total >= FLOOR)]).all() and (bars["y"][total > TOP] >= TOP).all()


@cases
def test_no_step_is_left_without_a_bar_or_a_mark(case):
    """Nothing is five things: what has no height gets a mark and a word."""
    there = np.isfinite([each["y"] for each in drawn(case, "gradient")["data"][1:5]])
    assert there.any(0).tolist() == seen(case)[1].valid.tolist()  # padding has neither


@cases
def test_in_the_padding_of_the_drawn_sequence_nothing_stands(case):
    padding = ~seen(case)[1].valid
    for each in drawn(case, "gradient")["data"][1:]:
        assert np.isnan(each["y"][padding]).all(), each["name"]
    words = [each.get("label", {}).get("text") for each in drawn(case, "gradient")["layout"].get("shapes", [])]
    assert ("padding" in words) == padding.any()


def test_the_cases_have_sequences_of_the_same_lengths_and_others():
    assert {seen(case)[0].same_lengths for case in REPRESENTATIVE} == {True, False}
    for case in ("teddy-many_to_many-gru", "reverse-encoder_decoder-lstm"):
        assert not seen(case)[0].same_lengths


def test_where_one_step_alone_is_asked_there_is_a_diamond_and_nowhere_else():
    """A median over sequences that are asked at other steps would be 0 at each of them."""
    info, frame, _ = seen("teddy-many_to_many-gru")
    (diamonds,) = (each for each in drawn("teddy-many_to_many-gru", "gradient")["data"] if "direct" in each["name"])
    assert np.array_equal(np.isfinite(diamonds["y"]), frame.counted) and frame.counted.sum() == 1
    assert (frame.grad_norm_direct[-1, 0][frame.counted] == 0).all()
    assert "Of the drawn sequence alone" in FIGURES["gradient"].look_for(info)


@finite
def test_marks_stand_where_the_gradient_leaves_the_axis(case):
    total, figure = shown_norms(case, "grad_norm")[-1, 0], drawn(case, "gradient")
    _, _, below, zero, above, *_ = figure["data"]
    low, high = (10.0**end for end in figure["layout"]["yaxis"]["range"])
    assert np.array_equal(np.isfinite(below["y"]), (total < FLOOR) & (total > 0))
    assert np.array_equal(np.isfinite(zero["y"]), total == 0)
    assert np.array_equal(np.isfinite(above["y"]), total > TOP)
    for each, symbol, name in ((below, "triangle-down", "below the axis"), (zero, "x-thin", "exactly 0")):
        marked = np.isfinite(each["y"])
        assert (each["marker"]["symbol"], each["name"], each["showlegend"]) == (symbol, name, marked.any())
        assert ((low < each["y"][marked]) & (each["y"][marked] < FLOOR)).all()
    assert set(zero["customdata"]) == {"exactly 0"}
    for t in np.flatnonzero(np.isfinite(below["y"])):
        assert float(below["customdata"][t].split(",")[0]) == pytest.approx(total[t], rel=0.05)
    for t in np.flatnonzero(total > TOP):
        assert TOP < above["y"][t] < high
        assert float(above["customdata"][t]) == pytest.approx(total[t], rel=0.05)


@cases
def test_the_axis_of_the_gradient_grows_only_where_a_bar_needs_it(case):
    """The top layer's bars alone decide, what is not a number too."""
    total, figure = shown_norms(case, "grad_norm")[-1, 0][seen(case)[1].valid], drawn(case, "gradient")
    top = USUAL_TOP if all(value <= USUAL_TOP for value in total) else TOP
    low, high = template(case, "gradient")["layout"]["yaxis"]["range"]
    assert low < np.log10(FLOOR) < low + 1 and np.log10(USUAL_TOP) < high < np.log10(USUAL_TOP) + 1
    assert figure["layout"]["yaxis"]["range"] == pytest.approx([low, high + np.log10(top / USUAL_TOP)])


def test_the_cases_have_both_axes():
    tops = {case: drawn(case, "gradient")["layout"]["yaxis"]["range"][1] for case in REPRESENTATIVE}
    assert {case for case, top in tops.items() if top > np.log10(TOP)} >= {*NOT_FINITE, "beyond both ends"}
    assert tops["step 0"] == tops["zeros"] < 3


@pytest.mark.parametrize("edge", [(1e2, False), (np.nextafter(1e2, 1e3), True), (1e8, True), (np.nan, True)], ids=str)
def test_the_axis_at_its_limit(edge):
    value, wide = edge
    info, frame, curves = seen("stacked")
    norms = frame.grad_norm.copy()
    norms[0] = 1e6  # lower layers do not count
    norms[-1, 0, 3] = value
    patch = FIGURES["gradient"].patch(info, dataclasses.replace(frame, grad_norm=norms), curves)
    assert (patch["layout.yaxis.range"][1] > 8) is wide
    assert np.isfinite(patch["data.4.y"]).any() == np.isnan(value)  # at the wide end a bar still has its height


@finite
def test_the_gradients_readout_is_what_the_verdict_is_about(case):
    info, frame, _ = seen(case)
    cell = info.memory_symbol == "c"
    norms, end = shown_norms(case, "grad_norm_cell" if cell else "grad_norm")[-1, 0], max(np.flatnonzero(frame.valid))
    first, last = ("exactly 0" if norms[t] == 0 else short(norms[t]) for t in (0, end))
    text, what = FIGURES["gradient"].readout(info, frame), "dL/dc " if cell else ""
    ends = first if info.time_steps == 1 else f"at t = 0: {first} · at t = {end}: {last}"
    assert text == what + ends


@pytest.mark.parametrize("case", ["stacked", "both ways, letters", "step 0"])
def test_hovering_names_the_step_once_for_all_series(case):
    """The unified box has t as its heading, so no line of it says t again."""
    figure = template(case, "gradient")
    assert figure["layout"]["hovermode"] == "x unified"
    assert [each["hovertemplate"] for each in figure["data"] if "%{x}" in each["hovertemplate"]] == []
    assert all("%{y" in each["hovertemplate"] or "%{customdata}" in each["hovertemplate"] for each in figure["data"])


def test_the_cases_leave_the_axis_at_both_ends():
    total = seen("beyond both ends")[1].grad_norm
    assert (total < FLOOR).any() and (total > TOP).any() and (seen("zeros")[1].grad_norm == 0).any()
    cut = seen("cut")[1].grad_norm[-1, 0]
    assert (cut[: 11 - 4] == 0).all() and (cut[11 - 4 :] > 0).all()


def series_of(case: str) -> list[tuple[str, tuple[int, int], np.ndarray]]:
    """(meaning, (layer, direction), its norms) of every line and mark after the bars: the top layer's come first."""
    info, frame, _ = seen(case)
    e = info.experiment
    names = {"total": "grad_norm", "direct, from above": "grad_norm_direct"}
    if frame.counted.sum() > 1:
        names["from the last loss alone"] = "grad_norm_last"
    if info.memory_symbol == "c":
        names["dL/dc, the cell state"] = "grad_norm_cell"
    norms = {meaning: shown_norms(case, name) for meaning, name in names.items()}
    top, every = (e.num_layers - 1, 0), list(itertools.product(range(e.num_layers), range(e.directions)))
    chains = [top, *(chain for chain in every if chain != top)]
    return [(meaning, chain, each[chain]) for chain in chains for meaning, each in norms.items()][1:]


@finite
def test_the_other_series_are_the_frames(case):
    lines, series, valid = drawn(case, "gradient")["data"][5:], series_of(case), seen(case)[1].valid
    assert len(lines) == len(series)
    for line, (meaning, _, values) in zip(lines, series, strict=True):
        assert line["name"].startswith(meaning)
        inside = values >= FLOOR
        assert np.array_equal(line["y"][inside], f4(np.minimum(values[inside], 3e38)))
        assert not (line["y"][~inside] >= FLOOR).any()
        if line["mode"] == "lines":
            assert np.array_equal(np.isfinite(line["y"]), valid) and line["connectgaps"]


@pytest.mark.parametrize("case", ["stacked", "both ways", "both ways, letters"])
def test_hovering_over_a_series_says_what_it_is(case):
    e = seen(case)[0].experiment
    for line, (meaning, (layer, d), _) in zip(drawn(case, "gradient")["data"][5:], series_of(case), strict=True):
        text = line["hovertemplate"].split("<extra>")[1]
        if (layer, d) != (e.num_layers - 1, 0):
            assert e.num_layers == 1 or f"layer {layer + 1}" in text
            assert e.directions == 1 or ("forwards", "backwards")[d] in text
        assert meaning in text


@pytest.mark.parametrize("case", ["stacked", "both ways", "step 0", "cut"])
def test_the_legend_names_every_meaning_once(case):
    shown = [each["name"] for each in drawn(case, "gradient")["data"] if each.get("showlegend", True)]
    assert len(shown) == len(set(shown)) and "previous run" not in shown
    groups = [each.get("legendgroup") for each in drawn(case, "gradient")["data"][5:] if each.get("showlegend", True)]
    assert len([each for each in groups if each]) == len({each for each in groups if each})
    assert ("exactly 0" in shown) == (case == "cut")
