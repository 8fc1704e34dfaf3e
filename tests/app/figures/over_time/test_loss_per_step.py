"""The loss of each step, and the steps without one."""

from __future__ import annotations

import html

import numpy as np
import pytest

from app.figures import FIGURES, theme
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.number_format import short
from tests.app.figures.conftest import CASES, drawn, experiment_of, f4, over, seen

ASKED = [case for case in CASES if sum(RunInfo.of(experiment_of(case)).counted) > 1]


@over(ASKED)
def test_below_the_losses_stands_what_was_asked(case):
    info, frame, _ = seen(case)
    ticks = drawn(case, "loss_per_step")["layout"]["xaxis"].get("ticktext")
    if info.outputs == "symbols" and info.time_steps <= 50:
        targets = [theme.symbol(info.output_labels[int(frame.targets[t])]) for t in np.flatnonzero(frame.counted)]
        assert [html.unescape(word) for word in ticks if word] == targets
    else:
        assert ticks is None


@over(ASKED)
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
        text = FIGURES["loss_per_step"].readout(info, frame)
        total, average = (short(float(f(frame.loss_per_step[frame.counted]))) for f in (np.sum, np.mean))
        assert text == f"sum {total} · mean {average} over {frame.counted.sum()} steps"


def test_a_sum_is_called_a_sum():
    texts = {case: FIGURES["loss_per_step"].look_for(seen(case)[0]) for case in ("sums", "stocks-many_to_many-rnn")}
    assert "their sum (dashed: the mean)" in texts["sums"] and "their mean (dashed)" in texts["stocks-many_to_many-rnn"]


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
    stretch_notes = [each for each in notes if each["text"] != "target"]
    assert [each["text"] for each in stretch_notes] == ([words_at] if words_at else [])
    silent = [t for t in range(info.time_steps) if info.valid[t] and not info.counted[t]]
    assert all(each["x"] == (silent[0] + silent[-1]) / 2 for each in stretch_notes)


def test_there_are_cases_with_many_losses():
    assert len(ASKED) > 10
