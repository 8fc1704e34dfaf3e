"""The share of the gradient that arrives, over training."""

from __future__ import annotations

import dataclasses

import numpy as np

from app.figures import FIGURES
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.recording.history import ratios
from tests.app.figures.conftest import f4, seen

CASE = "first_symbol_recall-many_to_one-rnn"


def test_the_line_is_the_verdicts_ratio_in_every_frame():
    info, frame, curves = seen(CASE)
    frames = [dataclasses.replace(frame, step=step) for step in (3, 0, 7)]
    rows = ratios([*frames, dataclasses.replace(frame, diagnosis=None)])
    assert rows["step"].tolist() == [0, 3, 7]
    patch = FIGURES["ratio"].patch(info, frame, dataclasses.replace(curves, ratios=rows))
    expected = frame.diagnosis.evidence["ratio"]
    assert patch["data.1.x"].tolist() == [0, 3, 7]
    assert np.array_equal(patch["data.1.y"], f4([expected] * 3))


def test_a_ratio_of_exactly_0_has_a_mark_at_its_step():
    info, frame, curves = seen(CASE)
    rows = np.array([(0, 0.5), (5, 0.0), (9, np.inf)], ratios([]).dtype)
    patch = FIGURES["ratio"].patch(info, frame, dataclasses.replace(curves, ratios=rows))
    zero, above = 3, 4
    assert patch[f"data.{zero}.x"][np.isfinite(patch[f"data.{zero}.y"])].tolist() == [5]
    assert patch[f"data.{above}.x"][np.isfinite(patch[f"data.{above}.y"])].tolist() == [9]


def test_a_task_without_a_way_back_has_none():
    one_step = Experiment(task="digits", rnn_type="one_to_one", seq_len=1)
    assert not FIGURES["ratio"].applies(RunInfo.of(one_step))
