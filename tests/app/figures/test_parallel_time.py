"""The figure of a linear recurrence as a loop and as a scan."""

from __future__ import annotations

import math

import pytest

from app.figures import parallel_time

LENGTHS = (64, 256, 1024, 4096)


def drawn(loop, scan, lengths=LENGTHS):
    return parallel_time.panel(lengths, loop, scan, unit="ms", decades=parallel_time.limits(loop, scan))


def test_every_value_is_drawn_and_written():
    figure = drawn([64, 256, 1024, 4096], [12, 16, 20, 24])
    assert [trace.name for trace in figure.data] == ["loop", "scan"]
    assert figure.data[0].y == (64, 256, 1024, 4096) and figure.data[1].y == (12, 16, 20, 24)
    assert figure.data[0].text == ("64", "256", "1,024", "4,096") and figure.data[1].text == ("12", "16", "20", "24")
    assert figure.layout.xaxis.tickvals == LENGTHS and figure.layout.yaxis.type == "log"


def test_ways_differ_in_more_than_colour():
    one, other = drawn([1, 2, 3, 4], [2, 3, 4, 5]).data
    assert one.line.color != other.line.color and one.line.dash != other.line.dash
    assert one.marker.symbol != other.marker.symbol


def test_a_number_stands_on_the_side_away_from_the_other_line():
    loop, scan = drawn([1.0, 2.0, 9.0, 20.0], [2.0, 1.0, 3.0, 30.0]).data
    assert [place.split()[0] for place in loop.textposition] == ["bottom", "top", "top", "bottom"]
    assert [place.split()[0] for place in scan.textposition] == ["top", "bottom", "bottom", "top"]


@pytest.mark.parametrize(("last", "moved"), [((1000.0, 1.0), False), ((10.0, 9.8), True), ((5.0, 5.0), True)])
def test_names_stand_at_the_last_points_and_apart(last, moved):
    figure = drawn([0.1, 1.0, 1.0, last[0]], [0.1, 1.0, 1.0, last[1]])
    loop, scan = figure.layout.annotations
    assert (loop.text, scan.text) == ("loop", "scan") and loop.x == scan.x == math.log10(4096)
    assert loop.y == math.log10(last[0])
    assert (loop.yshift, scan.yshift) == ((8, -8) if moved else (0, 0))


def test_lengths_that_were_left_out_keep_their_place_on_the_axis():
    figure = drawn([1.0, 2.0], [2.0, 3.0])
    assert figure.data[0].x == LENGTHS[:2] and figure.layout.xaxis.tickvals == LENGTHS
    assert figure.layout.annotations[0].x == math.log10(256)


def test_the_axis_holds_every_value_and_its_ticks_are_powers_of_ten():
    figure = drawn([0.05, 1.0, 9.0, 99.0], [0.2, 0.3, 0.4, 0.5])
    low, high = figure.layout.yaxis.range
    assert low < math.log10(0.05) and high > math.log10(99)
    assert figure.layout.yaxis.ticktext == ("0.1", "1", "10", "100")


@pytest.mark.parametrize(
    ("value", "text"), [(24, "24"), (4096, "4,096"), (0.1234, "0.12"), (2.345, "2.3"), (45.6, "46"), (0.0123, "0.012")]
)
def test_a_number_is_short(value, text):
    assert drawn([value] * 4, [1.0] * 4).data[0].text[0] == text
