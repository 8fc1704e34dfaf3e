"""How far the gradient reaches, over training."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.figures import Curves, theme
from engine.recording.history import Waterfall
from tests.app.figures.lens_cases import NAN, drawn, readout, row, seen


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
    kept = Waterfall()
    kept.add_frame(info, frame)
    (heat,) = drawn("encoder-decoder", "waterfall", curves=waterfall(*kept.table()))["data"]
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
    assert readout("plain", "waterfall", grad_norm_memory=row(*norms)) == words
