"""A ratio stays in its band until it is clearly outside, and between two measurements the verdict stays."""

import math

import pytest

from engine.diagnosis.bands import BANDS, HOLD, LIMITS, band, held_band
from engine.frame.held_out import HeldOutRecord
from tests.engine.diagnosis.conftest import BAR, judged

EDGES = [limit for limit, _ in LIMITS[:-1]]


@pytest.mark.parametrize("limit", EDGES)
def test_a_ratio_that_crosses_a_limit_back_and_forth_keeps_its_band(limit):
    for before, ratio in ((limit / 1.5, limit * 1.5), (limit * 1.5, limit / 1.5)):
        first = held_band(before, -1)
        assert BANDS[first] == band(before) != band(ratio)
        assert held_band(ratio, first) == held_band(before, held_band(ratio, first)) == first


@pytest.mark.parametrize("limit", EDGES)
def test_a_ratio_clearly_outside_leaves_it(limit):
    below, above = limit / (1.01 * HOLD), limit * 1.01 * HOLD
    assert BANDS[held_band(above, held_band(below, -1))] == band(above)
    assert BANDS[held_band(below, held_band(above, -1))] == band(below)


def test_what_is_no_ratio_has_no_band():
    assert [held_band(ratio, 3) for ratio in (0.0, math.inf, math.nan)] == [-1, -1, -1]


def record(ratio: float) -> HeldOutRecord:
    return HeldOutRecord(held_out_step=100, held_out_loss=BAR, held_out_first=BAR, held_out_ratio=ratio,
                         held_out_gradient=1.0, held_out_band=held_band(ratio, -1))  # fmt: skip


@pytest.mark.parametrize("own", [1e-9, 2e-4, 0.5, 1e6, 0.0])
def test_between_two_measurements_the_verdict_stays_and_its_number_fits_it(own):
    found = judged(own, step=130, record=record(1e-4))
    assert found.kind == "vanishing" and found.evidence["ratio"] == own
    shown = "1 part in 5,000 " if own == 2e-4 else "At step 100, 1 part in 10,000 "
    assert found.sentence.startswith(shown)


def test_a_gradient_at_the_output_that_falls_away_for_a_moment_does_not_change_the_verdict():
    assert judged(1e-4, step=130, gradient=1e-12, record=record(1e-4)).kind == "vanishing"
