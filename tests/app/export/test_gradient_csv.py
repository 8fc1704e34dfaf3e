"""The table of a frame's gradient."""

from __future__ import annotations

import numpy as np
import pytest

from app.export.gradient_csv import gradient_csv
from tests.app.figures.conftest import seen


@pytest.mark.parametrize("case", ["stacked", "both ways", "not a number"])
def test_the_table_has_every_norm_in_full(case):
    info, frame, _ = seen(case)
    first, *lines = gradient_csv(info, frame).splitlines()
    columns = first.split(",")
    table = [dict(zip(columns, line.split(","), strict=True)) for line in lines]
    assert len(table) == frame.grad_norm.size and len(columns) == 12
    for row in table:
        at = (int(row["layer"]), ["forward", "reverse"].index(row["direction"]), int(row["t"]))
        assert int(row["step"]) == frame.step
        for name in columns[4:]:
            truth = getattr(frame, name)
            if truth is None:
                assert row[name] == ""
            else:
                assert np.array_equal(float(row[name]), truth[at], equal_nan=True)
