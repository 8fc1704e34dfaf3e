"""The gates over time: what is drawn is what the frame holds, at its step."""

from __future__ import annotations

import dataclasses
import html

import numpy as np
import pytest

from app.figures import FIGURES, theme
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.training import Trainer
from tests.app.figures.conftest import CASES, drawn, experiment_of, over, patched, seen, trace

GATED = [case for case in CASES if RunInfo.of(experiment_of(case)).gates]
PADDED = "reverse-encoder_decoder-lstm"


@over(GATED)
def test_each_line_is_the_mean_of_its_gate_over_the_units_of_the_top_layer(case):
    info, frame, _ = seen(case)
    for gate in info.gates:
        line, values = trace(case, "gates", gate.replace("_", " ")), frame.gates[gate][-1, 0]
        assert np.array_equal(np.isnan(line["y"]), ~frame.valid)
        assert np.allclose(line["y"][frame.valid], values[frame.valid].mean(1), atol=1e-6)
        low, high = line["customdata"][frame.valid].T
        inside = (values[frame.valid] >= low[:, None]) & (values[frame.valid] <= high[:, None])
        assert (low <= high).all() and (inside.mean(1) >= 0.8 - 2 / values.shape[1]).all()


@over(GATED)
def test_gates_differ_in_more_than_colour_and_candidates_wait_in_the_legend(case):
    lines = [each for each in drawn(case, "gates")["data"] if each.get("customdata") is not None]
    assert len(lines) == len(seen(case)[0].gates)
    for looks in ({each["line"]["color"] for each in lines}, {each["line"]["dash"] for each in lines}):
        assert len(looks) == len(lines)
    for each in lines:
        assert (each["visible"] == "legendonly") == ("candidate" in each["name"])


@pytest.mark.parametrize("case", [PADDED, "sentiment-many_to_one-gru", "stacked", "1000 steps, gates"])
def test_the_band_goes_around_each_stretch_of_real_steps(case):
    info, frame, curves = seen(case) if case in CASES else long_run()
    figure = patched(FIGURES["gates"].template(info).to_plotly_json(), FIGURES["gates"].patch(info, frame, curves))
    band = figure["data"][0]
    assert band["fill"] == "toself" and len(band["x"]) == len(band["y"])
    pieces = np.split(band["x"], np.flatnonzero(np.isnan(band["x"])) + 1)[:-1]
    steps = np.concatenate([piece[: len(piece) // 2] for piece in pieces])
    assert steps.tolist() == np.flatnonzero(frame.valid).tolist()
    assert len(pieces) == 1 + np.count_nonzero(np.diff(np.flatnonzero(frame.valid)) > 1)


def long_run():
    trainer = Trainer(Experiment(seq_len=1000, cell="gru", hidden_size=2, batch_size=2))
    return trainer.info, trainer.frame(), seen("stacked")[2]


def test_a_padded_stretch_in_the_middle_leaves_a_gap():
    _, frame, _ = seen(PADDED)
    assert np.count_nonzero(np.diff(np.flatnonzero(frame.valid)) > 1) == 1


@pytest.mark.parametrize(
    ("cell", "begins"),
    [
        ("gru", "Update gate near 1 keeps the old state"),
        ("gru_simple", "Update gate near 1 keeps the old state"),
        ("lstm", "Forget gate near 1: the old state is kept"),
        ("lstm_peephole", "Forget gate near 1: the old state is kept"),
        ("lstm_no_forget", "No gate can forget"),
        ("gru_2014", "Update gate near 1 keeps the old state"),
        ("lstm_layer_norm", "Forget gate near 1: the old state is kept"),
        ("linear", "Update gate near 1 keeps the old state"),
        ("linear_signed", "Near 1 the old state is kept, near −1 it is kept with the opposite sign"),
    ],
)
def test_what_to_look_for_says_which_way_round_the_gate_is(cell, begins):
    assert FIGURES["gates"].look_for(RunInfo.of(Experiment(cell=cell))).startswith(begins)


@pytest.mark.parametrize(("cell", "lowest"), [("gru", 0), ("linear", 0), ("linear_signed", -1)])
def test_the_axis_begins_where_the_gates_can_be(cell, lowest):
    case = f"first_symbol_recall-many_to_one-{cell}"
    assert drawn(case, "gates")["layout"]["yaxis"]["autorangeoptions"]["include"] == [lowest, 1]


def test_a_candidate_without_limits_has_an_axis_that_fits_it():
    """Ticks every 0.5 would be too many, and no point holds the axis at -1."""
    for cell, limited in (("gru", True), ("linear", False)):
        figure = drawn(f"first_symbol_recall-many_to_one-{cell}", "gates")
        assert ("dtick" in figure["layout"]["yaxis"]) == limited
        hidden = [each for each in figure["data"] if each.get("visible") == "legendonly"]
        assert any(list(each["y"]) == [-1] for each in hidden) == limited


def test_a_candidate_that_is_infinite_is_a_gap():
    info, frame, curves = seen("first_symbol_recall-many_to_one-linear")
    values = np.full_like(frame.gates["candidate"], np.inf)
    lost = dataclasses.replace(frame, gates={**frame.gates, "candidate": values})
    patch = FIGURES["gates"].patch(info, lost, curves)
    assert any(np.isnan(each).all() for path, each in patch.items() if path.endswith(".y"))
    assert "nan" not in FIGURES["gates"].readout(info, lost)


@pytest.mark.parametrize(("value", "mean", "share"), [(0.97, "0.97", 100), (-0.97, "−0.97", 100), (0.2, "0.20", 0)])
def test_a_factor_is_saturated_near_1_and_near_minus_1(value, mean, share):
    info, frame, _ = seen("first_symbol_recall-many_to_one-linear_signed")
    gates = {**frame.gates, "retain_factor": np.full_like(frame.gates["retain_factor"], value)}
    words = FIGURES["gates"].readout(info, dataclasses.replace(frame, gates=gates))
    assert words == f"mean retain factor {mean} · absolute value {abs(value):.2f} · {share}% saturated"


@over(GATED)
def test_below_the_gates_stands_what_was_read(case):
    info, frame, _ = seen(case)
    ticks = drawn(case, "gates")["layout"]["xaxis"].get("ticktext")
    fits = info.inputs == "symbols" and info.time_steps <= (60 if max(map(len, info.input_labels)) == 1 else 50)
    assert (ticks is not None) == fits
    for t, word in enumerate(ticks or ()):
        labels = info.output_labels if 0 < info.encoder_steps <= t else info.input_labels
        token = int(frame.inputs[t])
        if not frame.valid[t]:
            assert word == ""
        elif token < 0:
            assert word in ("start", "–")
        else:
            label = theme.symbol(labels[token])
            assert html.unescape(word) == label or (len(label) > 12 and label.startswith(word[:-1]))


def test_there_are_cases_with_gates():
    assert len(GATED) > 20
