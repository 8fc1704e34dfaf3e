"""The table of a frame's gradient."""

from __future__ import annotations

import numpy as np
import pytest

from app.export.gradient_csv import gradient_csv, gradients_csv
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


@pytest.mark.parametrize("case", ["stacked", "both ways"])
def test_the_table_over_training_has_a_row_per_layer_and_direction(case):
    _, frame, _ = seen(case)
    first, *lines = gradients_csv([frame, frame]).splitlines()
    layers, directions, steps = frame.grad_norm.shape
    states = 1 if frame.grad_norm_cell is None else 2
    assert len(lines) == 2 * states * layers * directions and first.endswith(f",t{steps - 1}")
    last = lines[-1].split(",")
    norms = frame.grad_norm if states == 1 else frame.grad_norm_cell
    assert last[2:4] == [str(layers - 1), ("forward", "reverse")[directions - 1]]
    assert [float(each) for each in last[4:]] == norms[-1, -1].astype(float).tolist()
