"""Readings on request: which there are, and that requesting them together changes none of them."""

from __future__ import annotations

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.frame.readings import ON_DEMAND_READINGS
from engine.lens.forward_trace import trace_forward
from engine.lens.on_demand import READERS, compute_on_demand
from engine.model import build
from engine.recording.columns import leaves
from engine.tasks import sample


def test_every_name_has_a_reader():
    assert tuple(READERS) == ON_DEMAND_READINGS


@pytest.mark.parametrize("cell", ["rnn", "lstm", "feedforward"])
def test_together_they_are_what_each_is_alone(cell):
    e = Experiment(task="sine", rnn_type="many_to_many", cell=cell, hidden_size=4, seq_len=30)
    trace = trace_forward(build(e), sample(e, 3, 1))
    together = compute_on_demand(trace, ON_DEMAND_READINGS)
    assert set(together) == set(ON_DEMAND_READINGS) - ({"spectrum"} if cell == "feedforward" else set())
    for name, reading in together.items():
        alone = compute_on_demand(trace, [name])
        assert list(alone) == [name]
        for (path, expected), (_, value) in zip(leaves(alone[name]), leaves(reading), strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-12, err_msg=path)


def test_nothing_is_computed_that_is_not_requested():
    e = Experiment(hidden_size=4, seq_len=5)
    assert compute_on_demand(trace_forward(build(e), sample(e, 2, 1)), []) == {}
