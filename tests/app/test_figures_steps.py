"""Gates, cell states and the loss of each step: what is drawn is what the frame holds, at its step."""

from __future__ import annotations

import dataclasses
import html
import re
from pathlib import Path

import numpy as np
import pytest

from app.figures import FIGURES, applicable, theme, words
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.tasks import TASKS
from engine.training import Trainer
from tests.app.test_figures import CASES, NOT_FINITE, drawn, experiment_of, f4, patched, seen, template, trace

GATED = [case for case in CASES if RunInfo.of(experiment_of(case)).gates]
CARRYING = [case for case in CASES if RunInfo.of(experiment_of(case)).memory_symbol == "c"]
ASKED = [case for case in CASES if sum(RunInfo.of(experiment_of(case)).counted) > 1]
PADDED = "reverse-encoder_decoder-lstm"
ORDER = ["unrolled", "gradient", "loss_per_step", "hidden", "factors", "waterfall", "decomposition", "weights", "gates",
         "cell", "saliency", "loss", "prediction", "update", "embedding", "spectrum", "memory"]  # fmt: skip
SOMETIMES = {
    "loss_per_step",
    "gates",
    "cell",
    "embedding",
    "decomposition",
    "factors",
    "waterfall",
    "spectrum",
    "memory",
}


# ---- which figures


def test_figures_stand_in_their_order():
    assert list(FIGURES) == ORDER
    for case in CASES:
        shown = applicable(seen(case)[0])
        assert list(shown) == [name for name in ORDER if name in shown]


@pytest.mark.parametrize("case", CASES)
def test_a_figure_is_there_where_it_has_something_to_show(case):
    info, frame, _ = seen(case)
    shown = set(applicable(info))
    assert shown >= set(ORDER) - SOMETIMES
    assert ("embedding" in shown) == (frame.embedding is not None)
    assert ("gates" in shown) == (len(frame.gates) > 1)
    assert ("cell" in shown) == (frame.cell is not None)
    assert ("loss_per_step" in shown) == ("decomposition" in shown) == (frame.counted.sum() > 1)
    linked = info.has_links and info.time_steps > 1
    assert ("factors" in shown) == ("memory" in shown) == linked
    assert ("waterfall" in shown) == (info.time_steps > 1) and ("spectrum" in shown) == info.has_links


def test_every_kind_of_figure_has_cases():
    assert len(GATED) > 20 and len(CARRYING) > 10 and len(ASKED) > 10


# ---- gates


@pytest.mark.parametrize("case", GATED)
def test_each_line_is_the_mean_of_its_gate_over_the_units_of_the_top_layer(case):
    info, frame, _ = seen(case)
    for gate in info.gates:
        line, values = trace(case, "gates", gate.replace("_", " ")), frame.gates[gate][-1, 0]
        assert np.array_equal(np.isnan(line["y"]), ~frame.valid)
        assert np.allclose(line["y"][frame.valid], values[frame.valid].mean(1), atol=1e-6)
        low, high = line["customdata"][frame.valid].T
        inside = (values[frame.valid] >= low[:, None]) & (values[frame.valid] <= high[:, None])
        assert (low <= high).all() and (inside.mean(1) >= 0.8 - 2 / values.shape[1]).all()


@pytest.mark.parametrize("case", GATED)
def test_gates_differ_in_more_than_colour_and_candidates_wait_in_the_legend(case):
    lines = [each for each in drawn(case, "gates")["data"] if each.get("customdata") is not None]
    assert len(lines) == len(seen(case)[0].gates)
    for looks in ({each["line"]["color"] for each in lines}, {each["line"]["dash"] for each in lines}):
        assert len(looks) == len(lines)
    for each in lines:
        assert (each["visible"] == "legendonly") == ("candidate" in each["name"])


def test_gates_have_colours_that_stand_out_on_both_pages():
    def brightness(colour: str) -> float:
        parts = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
        return float(
            np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
        )

    page = (Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text()
    for ground in re.findall(r'backgroundColor = "(#\w{6})"', page.replace("secondaryBackgroundColor", "")):
        for colour in theme.GATES.values():
            dark, light = sorted((brightness(colour), brightness(ground)))
            assert (light + 0.05) / (dark + 0.05) >= 3, (colour, ground)


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


# ---- words below the axis


@pytest.mark.parametrize("case", GATED)
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


@pytest.mark.parametrize("case", ASKED)
def test_below_the_losses_stands_what_was_asked(case):
    info, frame, _ = seen(case)
    ticks = drawn(case, "loss_per_step")["layout"]["xaxis"].get("ticktext")
    if info.outputs == "symbols" and info.time_steps <= 50:
        said = [theme.symbol(info.output_labels[int(frame.targets[t])]) for t in np.flatnonzero(frame.counted)]
        assert [html.unescape(word) for word in ticks if word] == said
    else:
        assert ticks is None


def test_long_words_are_slanted_and_have_room():
    info, _, _ = seen("sentiment-many_to_one-gru")
    short, long = (words.ticks(info, [word] * info.time_steps) for word in ("not", "wonderful"))
    assert short["layout.xaxis.tickangle"] == 0 > long["layout.xaxis.tickangle"]
    assert short["layout.margin.b"] < long["layout.margin.b"] < 80


def test_a_label_is_never_taken_for_markup():
    info, frame, _ = seen("sentiment-many_to_one-gru")
    inputs = np.full_like(frame.inputs, info.input_labels.index("<UNK>"))
    assert set(words.read(info, dataclasses.replace(frame, inputs=inputs))) == {"&lt;UNK&gt;", ""}


# ---- cell states


@pytest.mark.parametrize("case", [case for case in CARRYING if case not in NOT_FINITE])
def test_the_cell_states_are_drawn_like_the_hidden_ones(case):
    info, frame, curves = seen(case)
    swapped = dataclasses.replace(frame, hidden=frame.cell)
    heat, same = drawn(case, "cell")["data"][0], FIGURES["hidden"].patch(info, swapped, curves)
    assert heat["zmax"] == same["data.0.zmax"] and np.shape(heat["z"]) == np.shape(
        template(case, "hidden")["data"][0]["z"]
    )
    assert np.array_equal(heat["z"][0], same["data.0.z"].values[0].astype(np.float32) * heat["zmax"] / 127)
    assert f"{heat['zmax']:g}" in FIGURES["cell"].readout(info, frame)


# ---- the loss of each step


@pytest.mark.parametrize("case", ASKED)
def test_a_bar_for_every_counted_step_and_no_other(case):
    info, frame, _ = seen(case)
    bars, mean = drawn(case, "loss_per_step")["data"]
    known = frame.counted & np.isfinite(frame.loss_per_step)
    assert np.array_equal(bars["y"][known], f4(frame.loss_per_step[known]))
    assert np.isnan(bars["y"][~frame.counted]).all() and len(bars["y"]) == info.time_steps
    low, high = drawn(case, "loss_per_step")["layout"]["yaxis"]["range"]
    assert low == 0 and (bars["y"][known] < high).all()
    if known.sum() == frame.counted.sum():
        assert np.allclose(mean["y"], frame.loss_per_step[frame.counted].mean(), rtol=1e-6)
        said = FIGURES["loss_per_step"].readout(info, frame)
        total, average = (theme.short(float(f(frame.loss_per_step[frame.counted]))) for f in (np.sum, np.mean))
        assert said == f"sum {total} · mean {average} over {frame.counted.sum()} steps"


def test_a_sum_is_called_a_sum():
    said = {case: FIGURES["loss_per_step"].look_for(seen(case)[0]) for case in ("sums", "stocks-many_to_many-rnn")}
    assert "their sum (dashed: the mean)" in said["sums"] and "their mean (dashed)" in said["stocks-many_to_many-rnn"]


# ---- the losses of which the newest look is the mean


@pytest.mark.parametrize("case", CASES)
def test_each_sequence_of_the_probe_has_a_mark_at_the_newest_step(case):
    _, frame, _ = seen(case)
    figure = drawn(case, "loss")
    marks, top = figure["data"][3], figure["layout"]["yaxis"]["range"][1]
    assert marks["name"] == f"each of the {len(frame.sequence_loss)} sequences"
    assert set(marks["x"]) == {frame.step} and len(marks["x"]) == len(frame.sequence_loss)
    inside = frame.sequence_loss <= top
    assert np.array_equal(marks["y"][inside], f4(frame.sequence_loss[inside]))
    assert (marks["y"] <= np.float32(top)).all()
    assert [each == "triangle-up" for each in marks["marker"]["symbol"]] == (~inside).tolist()
    assert case in NOT_FINITE or frame.sequence_loss.mean() == pytest.approx(frame.probe_loss, rel=1e-4)


def test_a_wild_sequence_points_up_from_the_edge_and_moves_no_axis():
    info, frame, curves = seen("stacked")
    losses = frame.sequence_loss.copy()
    losses[:3] = 1e6, np.inf, np.nan
    usual, wild = (
        FIGURES["loss"].patch(info, each, curves) for each in (frame, dataclasses.replace(frame, sequence_loss=losses))
    )
    assert wild["layout.yaxis.range"] == usual["layout.yaxis.range"]
    assert wild["data.3.marker.symbol"][:4] == ["triangle-up"] * 3 + ["line-ew"]
    assert np.isfinite(wild["data.3.y"]).all() and wild["data.3.customdata"][0].startswith(
        "one sequence 1.0e6, batch mean "
    )


@pytest.mark.parametrize("slug", TASKS)
def test_every_task_has_words_or_numbers_at_every_step(slug):
    for kind in TASKS[slug].rnn_types:
        case = f"{slug}-{kind}-gru"
        info, frame, _ = seen(case)
        assert len(words.read(info, frame)) == len(words.asked(info, frame)) == info.time_steps
        assert [bool(word) for word in words.asked(info, frame)] == frame.counted.tolist()


# ---- steps without a loss


@pytest.mark.parametrize(
    ("task", "kind", "seq_len", "words_at"),
    [
        ("copy", "many_to_many", None, "no loss here (masked)"),
        ("reverse", "encoder_decoder", None, "the encoder only reads"),
        ("characters", "many_to_many", None, None),  # a loss at every step
        ("adding", "many_to_one", None, "no loss here (masked)"),
    ],
)
def test_steps_without_a_loss_are_named_in_the_middle_of_their_stretch(task, kind, seq_len, words_at):
    info = RunInfo.of(Experiment(task=task, rnn_type=kind, seq_len=seq_len))
    notes = FIGURES["loss_per_step"].template(info).to_plotly_json()["layout"].get("annotations", [])
    found = [each for each in notes if each["text"] != "asked"]
    assert [each["text"] for each in found] == ([words_at] if words_at else [])
    silent = [t for t in range(info.time_steps) if info.valid[t] and not info.counted[t]]
    assert all(each["x"] == (silent[0] + silent[-1]) / 2 for each in found)


def test_padding_is_named_where_there_is_room_for_the_word():
    """Across the band where it is wide, upright where it is narrow, nowhere where it is a line."""
    info = RunInfo.of(Experiment(task="reverse", rnn_type="encoder_decoder"))
    angles = {}
    for steps, padded in ((12, 4), (12, 1), (400, 2)):
        valid = tuple(t < steps - padded for t in range(steps))
        e = info.experiment.replace(task="first_symbol_recall", rnn_type="many_to_one", seq_len=steps)
        (band,) = theme.marks_in_time(dataclasses.replace(info, experiment=e, encoder_steps=0, valid=valid))
        assert (band["x0"], band["x1"]) == (steps - padded - 0.5, steps - 0.5)
        angles[steps, padded] = band["label"].get("textangle")
        assert band["label"].get("text", "padding") == "padding"
    assert angles == {(12, 4): 0, (12, 1): -90, (400, 2): None}
