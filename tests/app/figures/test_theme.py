"""What figures share: how numbers are written, which colours stand out, and how padding is marked."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from app.figures import theme
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.number_format import short
from tests.colours import contrast, luminance


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.05, "0.050"), (2.3, "2.30"), (12.4, "12.4"), (3.1e-7, "3.1e-7"), (0, "0"), (np.inf, "not finite"),
     (np.nan, "not finite"), (123.4, "123"), (2e4, "2.0e4"), (1e-12, "1.0e-12"), (1e12, "1.0e12"), (-2.3, "-2.30")],
)  # fmt: skip
def test_a_number_has_three_digits_at_most(value, text):
    """The examples of its own description, and their neighbours."""
    assert short(value) == text


@pytest.mark.parametrize(("page", "ground"), [("light", "#ffffff"), ("dark", "#11151b")])
def test_colours_stand_out_on_the_page(page, ground):
    colours = [colour for _, colour in theme.DECADES[page]]
    stops = [luminance(colour) for colour in colours]
    assert stops == sorted(stops)  # without hue, too, more is lighter
    assert contrast(colours[0], ground) > 1.8  # next to nothing is told apart from a gap
    for colour in (theme.WEIGHTS, theme.BESIDE):
        assert contrast(colour, ground) >= 3


def test_gates_have_colours_that_stand_out_on_both_pages():
    page = (Path(__file__).parents[3] / ".streamlit" / "config.toml").read_text()
    grounds = re.findall(r'backgroundColor = "(#\w{6})"', page.replace("secondaryBackgroundColor", ""))
    assert len(grounds) == 2
    for ground in grounds:
        for colour in theme.GATES.values():
            assert contrast(colour, ground) >= 3, (colour, ground)


def test_padding_is_named_where_there_is_room_for_the_word():
    """Across the band where it is wide, upright where it is narrow, nowhere where it is a line."""
    info = RunInfo.of(Experiment(task="reverse", rnn_type="encoder_decoder"))
    angles = {}
    for steps, padded in ((12, 4), (12, 1), (400, 2)):
        valid = tuple(t < steps - padded for t in range(steps))
        (band,) = theme.marks_in_time(dataclasses.replace(info, time_steps=steps, encoder_steps=0, valid=valid))
        assert (band["x0"], band["x1"]) == (steps - padded - 0.5, steps - 0.5)
        angles[steps, padded] = band["label"].get("textangle")
        assert band["label"].get("text", "padding") == "padding"
    assert angles == {(12, 4): 0, (12, 1): -90, (400, 2): None}
