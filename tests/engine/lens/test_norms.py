"""Medians and quartiles over sequences of which some are padded, or have a gradient that is no number."""

from __future__ import annotations

import numpy as np

from engine.lens.norms import _medians, quartiles

REAL = np.array([[True, True, True], [True, True, False], [False, False, False]])  # (T, B)
NORMS = np.array([[1.0, 2.0, 9.0], [4.0, 8.0, 99.0], [7.0, 7.0, 7.0]])


def test_padding_does_not_count():
    np.testing.assert_array_equal(_medians(NORMS, REAL), [2.0, 6.0, 0.0])
    np.testing.assert_array_equal(quartiles(NORMS, REAL)[1], [2.0, 6.0, 0.0])


def test_what_is_no_number_is_said_with_padding_and_without():
    broken = np.where(NORMS == 8.0, np.nan, NORMS)
    for real in (REAL, np.ones((3, 3), bool)):
        for found in (_medians(broken, real), *quartiles(broken, real)):
            assert np.isnan(found).tolist() == [False, True, False]


def test_a_step_at_which_nothing_is_a_number_gives_no_warning():
    unknown = np.where(NORMS == 99.0, np.nan, NORMS)
    unknown[0] = np.nan
    np.testing.assert_array_equal(_medians(unknown, REAL), [np.nan, 6.0, 0.0])
