"""The gradient relative to where the loss enters: its dots, band and marks, its levels, legend and readout."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from app.figures import FIGURES, theme
from app.figures.over_time import gradient
from engine.diagnosis import diagnose
from engine.experiment import Experiment
from engine.number_format import relative_size, short
from engine.tasks import probe
from engine.training import Trainer
from tests.app.figures.conftest import (
    EDITED,
    NOT_FINITE,
    REPRESENTATIVE,
    cases,
    drawn,
    f4,
    finite,
    seen,
    template,
    trace,
)

FLOOR, TOP = 1e-12, 1e8  # what the gradient's axis shows at its widest
USUAL_TOP = 1e2  # and where it ends in a frame whose sizes all stay below


def shown_sizes(case: str) -> np.ndarray:
    """(layers, directions, T): the probe's medians; the drawn sequence's own where sequences are not alike."""
    info, frame, _ = seen(case)
    batch = probe(info.experiment)
    alike = len({tuple(row) for row in batch.valid.T}) == len({tuple(row) for row in batch.counted.T}) == 1
    assert info.same_lengths is alike
    if alike:
        sizes = frame.relative
    else:
        norms = frame.sequence_grad_norm_memory
        counted = np.flatnonzero(frame.counted)
        ends = [counted[-1], 0 if info.answers_once else counted[0]][: info.directions]
        with np.errstate(invalid="ignore", divide="ignore"):
            sizes = np.stack([norms[:, d] / norms[:, d, end, None] for d, end in enumerate(ends)], 1)
    return np.where(frame.valid, sizes, np.nan)


def top_layer(case: str) -> np.ndarray:
    return shown_sizes(case)[-1, 0]


def after_the_loss(case: str) -> np.ndarray:
    """Steps after the last loss, to which no gradient goes."""
    counted = seen(case)[1].counted
    return np.arange(len(counted)) > np.flatnonzero(counted)[-1]


@finite
def test_dots_are_the_size_relative_to_where_the_loss_enters(case):
    info, sizes, dots = seen(case)[0], top_layer(case), drawn(case, "gradient")["data"][2]
    assert dots["mode"] == "lines+markers" and dots["line"]["color"] == theme.GRADIENT
    assert dots["x"].tolist() == list(range(info.time_steps))
    inside = (sizes >= FLOOR) & (sizes <= TOP)
    assert np.allclose(dots["y"][inside], f4(sizes[inside]), rtol=1e-6)
    enters = np.flatnonzero(seen(case)[1].counted)[-1]
    if case not in EDITED and sizes[enters] > 0:
        assert dots["y"][enters] == 1
    for value, word in zip(sizes[inside], np.array(dots["text"])[inside], strict=True):
        assert word == relative_size(value)


def test_the_first_step_that_matters_has_the_verdicts_ratio():
    """One definition of size: what the sentence says is the height of a dot, in every layer and direction."""
    compared = 0
    for case in sorted(REPRESENTATIVE - {*EDITED, *NOT_FINITE}):
        info, frame, _ = seen(case)
        if not info.same_lengths or info.looks_ahead:
            continue
        for layer, d in info.chains:
            shown = info.showing((layer, d))
            if d and not info.answers_once:
                at = min(info.enters(d) + info.reverse_lag, info.time_steps - 1)
            else:
                at = max(int(np.flatnonzero(frame.counted)[-1]) - info.measured_lag, 0)
            y = FIGURES["gradient"].patch(shown, frame, seen(case)[2])["data.2.y"]
            assert y[at] == pytest.approx(frame.ratio[layer, d], rel=1e-6), (case, layer, d)
            compared += frame.ratio[layer, d] > 0
    assert compared > 20


def test_dot_and_sentence_say_the_same_number():
    info, frame, _ = seen("step 0")
    text = FIGURES["gradient"].readout(info, frame)
    said = text.split(" · ")[0].removeprefix("at t = 0: ")
    assert said.startswith("1 part in ") and f"{said} of the gradient reaches t = 0" in str(diagnose(info, frame))


@cases
def test_no_step_is_left_without_a_dot_or_a_mark(case):
    """Nothing is several things: what has no height gets a mark and a word. Behind the loss there is no way back."""
    there = np.isfinite([each["y"] for each in drawn(case, "gradient")["data"][2:6]])
    expected = seen(case)[1].valid
    assert (there.any(0) <= expected).all()  # padding has neither
    assert (there.any(0) | after_the_loss(case))[expected].all()


@cases
def test_in_the_padding_of_the_drawn_sequence_nothing_stands(case):
    padding = ~seen(case)[1].valid
    for each in drawn(case, "gradient")["data"][2:]:
        assert np.isnan(each["y"][padding]).all(), each["name"]
    words = [each.get("label", {}).get("text") for each in drawn(case, "gradient")["layout"].get("shapes", [])]
    assert ("padding" in words) == padding.any()


def test_the_cases_have_sequences_of_the_same_lengths_and_others():
    assert {seen(case)[0].same_lengths for case in REPRESENTATIVE} == {True, False}
    info, _, _ = seen("teddy-many_to_many-gru")
    assert not info.same_lengths and "Of the drawn sequence alone" in FIGURES["gradient"].look_for(info)


def test_the_band_lies_between_the_quartiles():
    info, frame, _ = seen("stacked")
    band = trace("stacked", "gradient", "half of the sequences")
    n = info.time_steps
    assert band["fill"] == "toself" and band["x"][: 2 * n].tolist() == [*range(n), *reversed(range(n))]
    assert np.array_equal(band["y"][:n], f4(frame.relative_low[-1, 0]))
    assert np.array_equal(band["y"][n : 2 * n][::-1], f4(frame.relative_high[-1, 0]))
    assert (band["y"][:n] <= drawn("stacked", "gradient")["data"][2]["y"]).all()
    alone = trace("teddy-many_to_many-gru", "gradient", "half of the sequences")
    assert not len(alone["x"]) and alone["showlegend"] is False


def test_a_band_of_sequences_without_any_gradient_begins_at_the_axis_and_ends_where_both_quartiles_are_0():
    info, frame, curves = seen("step 0")
    low, high = np.zeros_like(frame.relative), frame.relative_high.copy()
    high[..., :3] = 0
    patch = FIGURES["gradient"].patch(info, dataclasses.replace(frame, relative_low=low, relative_high=high), curves)
    x, y = patch["data.1.x"], patch["data.1.y"]
    assert np.nanmin(x) == 3 and (y[np.isfinite(y)] > 0).all() and np.nanmin(y) < FLOOR


@finite
def test_marks_stand_where_the_gradient_leaves_the_axis(case):
    sizes, figure = top_layer(case), drawn(case, "gradient")
    sizes = np.where((sizes == 0) & after_the_loss(case), np.nan, sizes)
    below, zero, above = figure["data"][3:6]
    low, high = (10.0**end for end in figure["layout"]["yaxis"]["range"])
    assert np.array_equal(np.isfinite(below["y"]), (sizes < FLOOR) & (sizes > 0))
    assert np.array_equal(np.isfinite(zero["y"]), sizes == 0)
    assert np.array_equal(np.isfinite(above["y"]), sizes > TOP)
    for each, symbol, name in ((below, "triangle-down", "below the axis"), (zero, "x-thin", "exactly 0")):
        marked = np.isfinite(each["y"])
        assert (each["marker"]["symbol"], each["name"], each["showlegend"]) == (symbol, name, marked.any())
        assert each["marker"]["color"] == theme.ALARM
        assert ((low < each["y"][marked]) & (each["y"][marked] < FLOOR)).all()
    assert set(zero["customdata"]) <= {"exactly 0", ""}
    for t in np.flatnonzero(np.isfinite(below["y"])):
        assert float(below["customdata"][t].split(",")[0]) == pytest.approx(sizes[t], rel=0.05)
    for t in np.flatnonzero(sizes > TOP):
        assert TOP < above["y"][t] < high
        assert float(above["customdata"][t]) == pytest.approx(sizes[t], rel=0.05)


@cases
def test_the_axis_of_the_gradient_grows_only_where_a_dot_needs_it(case):
    """The shown layer's dots alone decide, what is not a number too."""
    sizes, figure = top_layer(case)[seen(case)[1].valid], drawn(case, "gradient")
    top = USUAL_TOP if all(value <= USUAL_TOP for value in sizes) else TOP
    low, high = template(case, "gradient")["layout"]["yaxis"]["range"]
    assert low < np.log10(FLOOR) < low + 1 and np.log10(USUAL_TOP) < high < np.log10(USUAL_TOP) + 1
    assert figure["layout"]["yaxis"]["range"] == pytest.approx([low, high + np.log10(top / USUAL_TOP)])


def test_the_cases_have_both_axes_and_leave_them_at_both_ends():
    tops = {case: drawn(case, "gradient")["layout"]["yaxis"]["range"][1] for case in REPRESENTATIVE}
    assert {case for case, top in tops.items() if top > np.log10(TOP)} >= {*NOT_FINITE, "beyond both ends"}
    assert tops["step 0"] == tops["zeros"] < 3
    sizes = seen("beyond both ends")[1].relative
    assert (sizes < FLOOR).any() and (sizes > TOP).any() and (seen("zeros")[1].relative == 0).any()
    cut = seen("cut")[1].relative[-1, 0]
    assert (cut[: 11 - 4] == 0).all() and (cut[11 - 4 :] > 0).all()


@pytest.mark.parametrize("edge", [(1e2, False), (np.nextafter(1e2, 1e3), True), (1e8, True), (np.nan, True)], ids=str)
def test_the_axis_at_its_limit(edge):
    value, wide = edge
    info, frame, curves = seen("stacked")
    sizes = frame.relative.copy()
    sizes[0] = 1e6  # lower layers do not count
    sizes[-1, 0, 3] = value
    patch = FIGURES["gradient"].patch(info, dataclasses.replace(frame, relative=sizes), curves)
    assert (patch["layout.yaxis.range"][1] > 8) is wide
    assert np.isfinite(patch["data.5.y"]).any() == np.isnan(value)  # at the wide end a dot still has its height


def test_levels_are_marked_and_named():
    layout = template("step 0", "gradient")["layout"]
    levels = {each["y0"]: each for each in layout["shapes"] if each["type"] == "line" and each["y0"] == each["y1"]}
    assert sorted(levels) == [1e-6, 1e-2, 1]
    assert [(each["text"], each["y"]) for each in layout["annotations"]] == [("a millionth", -6)]
    ticks = dict(zip(layout["yaxis"]["tickvals"], layout["yaxis"]["ticktext"], strict=True))
    assert (ticks[1.0], ticks[1e-2]) == ("100%", "1%") and ticks[1e-12] == "10<sup>−12</sup>"


@finite
def test_the_readout_says_both_ends(case):
    info, frame, _ = seen(case)
    sizes = top_layer(case)
    there = np.flatnonzero(frame.valid & ~((sizes == 0) & after_the_loss(case)))
    ends = dict.fromkeys((there[0], there[-1]))
    words = " · ".join(f"at t = {t}: {relative_size(sizes[t])}" for t in ends)
    assert FIGURES["gradient"].readout(info, frame) == words


@pytest.mark.parametrize("case", ["stacked", "both ways", "step 0"])
def test_an_old_recording_shows_the_ratio_of_the_medians_and_says_so(case):
    info, frame, curves = seen(case)
    old = dataclasses.replace(frame, relative=None, relative_low=None, relative_high=None)
    figure = FIGURES["gradient"]
    patch, sizes = figure.patch(info, old, curves), gradient.relative(info, old)
    for layer, d in info.chains:
        norms = frame.grad_norm_memory[layer, d]
        assert np.allclose(sizes[layer, d], norms / norms[0 if d else -1])
    assert np.array_equal(patch["data.2.y"], f4(sizes[-1, 0])) and not len(patch["data.1.x"])
    assert "ratio of medians (an older recording)" in figure.readout(info, old)
    assert "ratio of medians" not in figure.readout(info, frame)


@pytest.mark.parametrize("case", ["stacked", "both ways, letters", "step 0"])
def test_hovering_names_the_step_once_for_all_series(case):
    """The unified box has t as its heading, so no line of it says t again."""
    figure = template(case, "gradient")
    assert figure["layout"]["hovermode"] == "x unified"
    read = [each["hovertemplate"] for each in figure["data"] if each.get("hoverinfo") != "skip"]
    assert [each for each in read if "%{x}" in each] == []
    assert all("%{y" in each or "%{customdata}" in each for each in read)


@pytest.mark.parametrize("case", ["stacked", "both ways", "both ways, letters"])
def test_the_other_layers_are_thin_lines_dashed_backwards(case):
    info, _, _ = seen(case)
    e, sizes = info.experiment, shown_sizes(case)
    every = list(itertools.product(range(e.num_layers), range(e.directions)))
    lines = drawn(case, "gradient")["data"][7:]
    others = [chain for chain in every if chain != (e.num_layers - 1, 0)]
    assert len(lines) == len(others) > 0
    for line, (layer, d) in zip(lines, others, strict=True):
        known = sizes[layer, d] > 0
        assert np.allclose(line["y"][known], f4(sizes[layer, d][known]))
        assert line["line"]["color"] == theme.GRADIENT and line["line"]["dash"] == ("solid", "dash")[d]
        said = line["hovertemplate"].split("<extra>")[1]
        assert e.num_layers == 1 or f"layer {layer + 1}" in said
        assert e.directions == 1 or ("forwards", "backwards")[d] in said
    assert sum(line["showlegend"] for line in lines) == 1 and len({line["legendgroup"] for line in lines}) == 1


def test_the_bottleneck_keeps_its_number():
    info, frame, _ = seen("reverse-encoder_decoder-lstm")
    last = int(np.flatnonzero(frame.valid[: info.encoder_steps])[-1])
    norm = float(np.linalg.norm(frame.sequence_grad_norm[:, 0, last]))
    note = drawn("reverse-encoder_decoder-lstm", "gradient")["layout"]["annotations"][0]["text"]
    assert note == f"crosses: ‖dL/dh‖ {short(norm)}"


@pytest.mark.parametrize("attention", ["none", "dot"])
def test_with_attention_the_bottleneck_is_what_crosses_beside_what_goes_around_it(attention):
    trainer = Trainer(Experiment(task="reverse", rnn_type="encoder_decoder", attention=attention, hidden_size=6))
    info, frame = trainer.info, trainer.frame()
    said = gradient.patch(info, frame, seen("step 0")[2])["layout.annotations.0.text"]
    last = int(np.flatnonzero(frame.valid[: info.encoder_steps])[-1])
    if attention == "none":
        assert said == f"crosses: ‖dL/dh‖ {short(float(np.linalg.norm(frame.sequence_grad_norm[:, 0, last])))}"
        return
    crosses = float(np.linalg.norm(frame.attention.norms["state"][:, 0, last]))
    around = float(np.linalg.norm(frame.sequence_grad_norm_direct[-1, 0, : info.encoder_steps]))
    assert said == f"crosses: ‖dL/dh‖ {short(crosses)}, by attention {short(around)}"
    assert crosses < frame.sequence_grad_norm[0, 0, last]


@pytest.mark.parametrize("case", ["stacked", "both ways", "step 0", "cut"])
def test_the_legend_names_every_meaning_once(case):
    shown = [each["name"] for each in drawn(case, "gradient")["data"] if each.get("showlegend", True)]
    assert len(shown) == len(set(shown)) and "previous run" not in shown
    assert ("exactly 0" in shown) == (case == "cut")
