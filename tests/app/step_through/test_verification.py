"""Verifying a number: which are offered at a place, and what is said of the result."""

from __future__ import annotations

import numpy as np
import pytest

from app.step_through import verification as saying
from app.step_through.place import Place
from engine.cells import CELLS
from engine.step_through.verification_result import AUTOGRAD, REASONS
from tests.app.step_through.conftest import CASES, verification, walked


@pytest.mark.parametrize("case", CASES)
def test_every_number_that_is_offered_is_one_of_the_walk(case):
    info, trace = walked(case)
    n = len(trace.positions)
    for at in (0, n - 1, n, 2 * n - 1):
        offered = saying.entries(info, trace, Place(at, unit=1, source=2))
        assert set(offered) <= set(saying.ENTRIES) and saying.ENTRIES[0] in offered
        assert (saying.ENTRIES[1] in offered) == bool(CELLS[info.experiment.cell].state_blocks)
        for what in offered.values():
            assert np.isfinite(trace.number(what)) and saying.entry_symbol(what)


def test_what_was_verified_is_said_with_its_error_and_how():
    rows = dict(saying.verification_rows(verification()))
    assert rows["Relative error, calculation"] == "0: exactly the same"
    assert rows["Relative error, on the screen"] == "1.0e-07"
    assert "in 13 runs" in saying.how(verification())
    assert "0.001" not in str(rows) and "1e-03" in saying.how(verification())
    assert saying.agrees(verification(relative_error=3e-11, relative_error32=2e-4)).startswith(
        "Both calculations agree to 10 digits. The network trains in float32"
    )
    for wrong in (np.inf, np.nan, 1e-3):
        assert saying.agrees(verification(relative_error=wrong)).startswith("They do not agree")
    broken = dict(saying.verification_rows(verification(relative_error=np.inf)))
    assert broken["Relative error, calculation"].startswith("not comparable")


@pytest.mark.parametrize("reason", REASONS)
def test_why_autograd_was_taken_is_said_in_words(reason):
    text = saying.how(verification(method=AUTOGRAD, reason=reason))
    assert "autograd" in text and text.endswith(f"{saying.REASONS[reason]}.")
