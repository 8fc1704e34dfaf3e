"""The gates over time: what is drawn is what the frame holds, at its step."""

from __future__ import annotations

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
        ("gru", "Update gate near 1 keeps the old state (Ng's notes write 1 − z"),
        ("gru_simple", "Update gate near 1 keeps the old state (Ng's notes write 1 − z"),
        ("lstm", "Forget gate near 1: the old state is kept"),
        ("lstm_peephole", "Forget gate near 1: the old state is kept"),
        ("lstm_no_forget", "No gate can forget"),
    ],
)
def test_what_to_look_for_says_which_way_round_the_gate_is(cell, begins):
    assert FIGURES["gates"].look_for(RunInfo.of(Experiment(cell=cell))).startswith(begins)


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
