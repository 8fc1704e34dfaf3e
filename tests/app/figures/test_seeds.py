"""The band of many networks' losses."""

from __future__ import annotations

import numpy as np
import pytest

from app.figures.seeds import HIGH, HIGHEST, LOW, LOWEST, MEDIAN, band, quantiles

STEPS = np.array([0, 50, 100])
LOSSES = np.array([[2.0, 1.0, 0.1], [2.2, 1.2, 0.2], [2.4, 1.4, 0.3], [2.6, 1.6, 0.4], [2.8, 1.8, np.inf]])
OWN = (np.array([0, 20, 40]), np.array([2.3, 2.1, np.nan]))


def drawn(steps=STEPS, losses=LOSSES, own=OWN, line=2.0):
    return band(steps, losses, own, line, updates=100, own_name="this run", line_name="guessing")


def named(figure, name):
    (only,) = [trace for trace in figure.data if trace.name == name]
    return only


def test_quantiles_are_those_over_the_networks():
    found = quantiles(LOSSES)
    assert found[MEDIAN].tolist() == [2.4, 1.4, 0.3]
    assert found[LOWEST].tolist() == [2.0, 1.0, 0.1] and found[HIGHEST].tolist() == [2.8, 1.8, np.inf]
    assert found[LOW].tolist() == [2.2, 1.2, 0.2] and found[HIGH].tolist() == [2.6, 1.6, 0.4]


def test_a_quantile_between_a_number_and_a_diverged_network_is_infinite():
    found = quantiles(np.array([[1.0], [np.inf], [np.inf], [np.inf]]))
    assert [found[level][0] for level in (LOWEST, LOW, MEDIAN)] == [1.0, np.inf, np.inf]


def test_bands_median_and_run_are_drawn_with_their_names():
    figure = drawn()
    names = ["lowest to highest", "middle half", "median", "guessing: 2.00", "this run"]
    assert [trace.name for trace in figure.data] == names
    assert list(named(figure, "median").y) == [2.4, 1.4, 0.3]
    assert list(named(figure, "middle half").x) == [0, 50, 100, 100, 50, 0]
    assert list(named(figure, "middle half").y) == [2.6, 1.6, 0.4, 0.2, 1.2, 2.2]
    assert list(named(figure, "guessing: 2.00").y) == [2.0, 2.0] and named(figure, "guessing: 2.00").line.dash == "dash"
    assert list(named(figure, "this run").y[:2]) == [2.3, 2.1] and np.isnan(named(figure, "this run").y[2])


def test_a_run_that_was_measured_at_a_few_steps_shows_which():
    """A line alone would look like a measurement at every step."""
    assert named(drawn(), "this run").mode == "lines+markers"


def test_what_is_beyond_the_axis_is_drawn_at_its_end_and_said_as_it_is():
    figure = drawn()
    low, top = figure.layout.yaxis.range
    assert low == 0 and top == pytest.approx(1.1 * 2.6)  # above the quartiles
    assert named(figure, "lowest to highest").y[2] == top
    assert list(named(figure, "median").customdata[2]) == ["0.10", "0.20", "0.30", "0.40", "not finite"]


def test_the_loss_to_beat_stays_readable_beside_huge_losses():
    assert drawn(losses=1e6 * LOSSES).layout.yaxis.range[1] == 6.0
    assert drawn(losses=0.01 * LOSSES, own=(STEPS, 0.01 * LOSSES[0])).layout.yaxis.range[1] == pytest.approx(2.6)


def test_before_anything_was_measured_there_are_the_axis_and_the_loss_to_beat():
    none = np.zeros(0)
    figure = drawn(none, np.zeros((5, 0)), (none, none))
    assert figure.layout.xaxis.range == (0, 102) and len(named(figure, "median").y) == 0
    assert len(named(figure, "guessing: 2.00").y) == 2


def test_names_of_a_file_are_words():
    figure = band(STEPS, LOSSES, OWN, 2.0, updates=100, own_name="<b>", line_name="<i>")
    assert [trace.name for trace in figure.data][3:] == ["&lt;i&gt;: 2.00", "&lt;b&gt;"]
