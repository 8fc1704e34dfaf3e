"""The size of each update: which were clipped, and where clipping begins."""

from __future__ import annotations

import dataclasses

import pytest

from app.figures import FIGURES, Curves
from engine.recording.history import History
from tests.app.figures.conftest import cases, drawn, patched, seen, template


def rows(*clipped: bool) -> Curves:
    """Six updates of which these were clipped."""
    history = History()
    for step, each in enumerate(clipped, start=1):
        history.add_update(step, 1.0, 0.5 * step, each)
    return Curves(updates=history.updates(), looks=history.looks())


@pytest.mark.parametrize(
    "clipped",
    [(False,) * 6, (True,) * 6, (False, True, False, False, True, True), ()],
    ids=["none", "all", "some", "no update"],
)
def test_exactly_the_clipped_updates_are_marked(clipped):
    info, frame, _ = seen("clipped")
    figure = patched(template("clipped", "update"), FIGURES["update"].patch(info, frame, rows(*clipped)))
    _, norm, marks = figure["data"]
    steps = [step for step, each in enumerate(clipped, start=1) if each]
    assert marks["x"].tolist() == steps and len(marks["y"]) == len(steps)
    low, high = (10.0**end for end in figure["layout"]["yaxis"]["range"])
    assert ((low < marks["y"]) & (marks["y"] < high)).all()
    assert norm["x"].tolist() == list(range(1, len(clipped) + 1))
    assert norm["y"].tolist() == [0.5 * step for step in norm["x"]]


@cases
def test_the_clip_line_stands_where_clipping_by_norm_begins(case):
    e = seen(case)[0].experiment
    (line,) = drawn(case, "update")["layout"]["shapes"]
    assert line["visible"] == (e.clip == "norm")
    assert not line["visible"] or line["y0"] == line["y1"] == e.clip_threshold


def test_the_clip_line_follows_a_live_change():
    info, frame, curves = seen("clipped")
    for changes, visible, height in (({"clip_threshold": 7.0}, True, 7.0), ({"clip": "none"}, False, 1.0)):
        now = dataclasses.replace(info, experiment=info.experiment.replace(**changes))
        (line,) = patched(template("clipped", "update"), FIGURES["update"].patch(now, frame, curves))["layout"][
            "shapes"
        ]
        assert (line["visible"], line["y0"]) == (visible, height)


@pytest.mark.parametrize("case", ["clipped", "step 0", "stacked"])
def test_the_update_readout_says_what_clipping_did(case):
    info, frame, _ = seen(case)
    text = FIGURES["update"].readout(info, frame)
    assert ("clipped to" in text) == frame.clipped
    assert frame.step > 0 or text == "no update yet"
    assert not frame.clipped or text.endswith("clipped to 0.001")
