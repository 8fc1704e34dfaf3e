"""What figures share: how numbers are written, which colours stand out, and how padding is marked."""

from __future__ import annotations

import colorsys
import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from app.figures import theme
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.number_format import short
from tests.colours import contrast

SINGLE = (theme.GRADIENT, theme.ALARM, theme.RIGHT, theme.W_XH, theme.W_HH, theme.GREY, *theme.NEUTRALS)
"""Colours that stand on both pages."""
DIVERGING_ENDS = {"light": ("#00807a", "#5b2a91"), "dark": ("#46d3c2", "#b08bff")}


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
    stops = [contrast(colour, ground) for _, colour in theme.DECADES[page]]
    assert stops == sorted(stops)  # without hue, too, more stands out more
    assert stops[0] > 1.5  # next to nothing is told apart from a gap
    below, above = (DIVERGING_ENDS[page][k] for k in (0, 1))
    assert (theme.DIVERGING[page][0][1], theme.DIVERGING[page][-1][1]) == (below, above)
    for colour in (*SINGLE, below, above):
        assert contrast(colour, ground) >= 3, colour


def test_nothing_but_the_gradient_has_its_hue():
    """Hues in degrees: the gradient's lines, bands and heat maps share one, and every other meaning is far from it."""
    own = hue(theme.GRADIENT)
    for scale in theme.DECADES.values():
        assert all(abs(hue(colour) - own) < 12 for _, colour in scale)
    parts = [int(part) for part in re.findall(r"\d+", theme.PALE_GRADIENT)[:3]]
    assert parts == [int(theme.GRADIENT[at : at + 2], 16) for at in (1, 3, 5)]
    others = {theme.ALARM, theme.RIGHT, theme.W_XH, theme.W_HH, *theme.NEUTRALS, *theme.GATES.values(), theme.GREY}
    others |= {colour for ends in DIVERGING_ENDS.values() for colour in ends}
    coloured = [colour for colour in others if saturation(colour) > 0.3]
    assert len(coloured) >= 8
    assert all(min(abs(hue(colour) - own), 360 - abs(hue(colour) - own)) > 40 for colour in coloured)


def test_a_states_colour_leaves_the_middle_with_the_power_of_its_size():
    for scale in theme.DIVERGING.values():
        places, colours = zip(*scale, strict=True)
        assert list(places) == sorted(places) and (places[0], places[-1]) == (0, 1)
        middle, end = (channels(colours[places.index(at)]) for at in (0.5, 1))
        assert np.allclose(channels(colours[places.index(0.75)]), middle + 0.5**0.8 * (end - middle), atol=0.6)


def channels(colour: str) -> np.ndarray:
    return np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)], float)


def hue(colour: str) -> float:
    return 360 * colorsys.rgb_to_hls(*channels(colour) / 255)[0]


def saturation(colour: str) -> float:
    return colorsys.rgb_to_hls(*channels(colour) / 255)[2]


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
