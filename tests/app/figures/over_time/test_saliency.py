"""What each answer looks at."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from engine.frame.readings import Saliency
from tests.app.figures.lens_cases import NAN, drawn, readout, seen


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
    ("changes", "words"),
    [
        ([0.02] + [0.1] * 10 + [0.2], "changes most without {11}, t = 11; without t = 0: 10.0% of that"),
        ([0.3] + [0.1] * 11, "changes most without {0}, t = 0"),
        ([0.0] * 12, "no input changes the last output"),
        ([NAN] + [0.1] * 11, "changes most without {1}, t = 1; without t = 0: exactly 0 of that"),
        ([NAN] * 12, "not finite"),
    ],
)
def test_the_input_without_which_the_answer_changes_most(changes, words):
    info, frame, _ = seen("plain")
    reading = looks(steps=np.array([11]), norms=np.array([changes]), occluded=np.array(changes))
    symbols = [f"“{info.input_labels[token]}”" for token in frame.inputs]
    said = re.sub(r"{(\d+)}", lambda found: symbols[int(found[1])], words)
    assert readout("plain", "saliency", saliency=reading) == f"step {frame.step} · {said}"
    assert np.nan_to_num(drawn("plain", "saliency", saliency=reading)["data"][1]["y"]).max() in (0, 1)
