"""How long the first minute takes: from costs that were measured, at this length or at others."""

from __future__ import annotations

import pytest

from app.first_minute.duration import Measured, about, cost_at
from tests.app.first_minute.test_text import lane

CELLS = ("rnn", "lstm")


def test_before_anything_was_measured_nothing_is_said():
    measured = Measured()
    assert measured.seconds(CELLS, 4, 800) is None
    measured.note([lane("RNN", 49, 0.3), lane("LSTM", 49, 0.3)], 40.0)
    assert measured.seconds(CELLS, 4, 800) is None


def test_a_race_that_keeps_its_pace_takes_what_the_pace_says():
    measured = Measured()
    measured.note([lane("RNN", 100, 0.3), lane("LSTM", 100, 0.3)], 40.0)
    assert measured.cost == {"rnn": {4: 0.002}, "lstm": {4: 0.002}}
    assert measured.seconds(CELLS, 4, 800) == pytest.approx(20)
    assert measured.seconds(CELLS, 34, 800) == pytest.approx(20)  # 17 ms an update, 59 a second are possible


def test_a_slow_or_busy_machine_takes_longer():
    measured = Measured({"rnn": {4: 0.03}, "lstm": {4: 0.05}})
    assert measured.seconds(CELLS, 4, 100) == pytest.approx(5)
    measured.note([lane("RNN", 100, 0.3), lane("LSTM", 100, 0.3)], 10.0)  # 500 a second are possible
    assert measured.seconds(CELLS, 4, 100) == pytest.approx(10)
    measured.note([lane("RNN", 100, 0.3), lane("LSTM", 100, 0.3)], 40.0)
    assert measured.seconds(CELLS, 4, 100) == pytest.approx(2.5)


def test_the_cost_at_a_length_that_was_not_measured():
    assert cost_at({}, 10) is None
    assert cost_at({10: 0.2, 20: 0.3}, 10) == 0.2
    assert cost_at({10: 0.2}, 20) == pytest.approx(0.4) and cost_at({10: 0.2}, 5) == 0.2
    assert cost_at({10: 0.2, 20: 0.3}, 30) == pytest.approx(0.4)
    assert cost_at({10: 0.2, 20: 0.3, 34: 9.0}, 14) == pytest.approx(0.24)
    assert cost_at({10: 0.3, 12: 0.1}, 34) == 0.0  # noise: never less than nothing


def test_durations_are_said_as_roughly_as_they_are_known():
    assert [about(s) for s in (0.2, 8.4, 21, 22.6, 61, 131)] == [
        "about 1 s", "about 8 s", "about 20 s", "about 25 s", "about 60 s", "about 2 minutes",
    ]  # fmt: skip
