"""Readings on request: which there are, and that requesting them together changes none of them."""

from __future__ import annotations

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.frame.reading_request import READING_ARGUMENTS, ReadingRequest, newest_requests
from engine.frame.readings import ON_DEMAND_READINGS
from engine.lens.forward_trace import trace_forward
from engine.lens.on_demand import READERS, WITH_ARGUMENTS, compute_on_demand
from engine.model import build
from engine.recording.columns import leaves
from engine.tasks import sample
from engine.training import Trainer


def test_every_name_has_a_reader():
    assert tuple(READERS) == ON_DEMAND_READINGS
    assert (*READERS, *WITH_ARGUMENTS) == tuple(READING_ARGUMENTS)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "feedforward"])
def test_together_they_are_what_each_is_alone(cell):
    e = Experiment(task="sine", rnn_type="many_to_many", cell=cell, hidden_size=4, seq_len=30)
    trace = trace_forward(build(e), sample(e, 3, 1))
    together = compute_on_demand(trace, ON_DEMAND_READINGS)
    lacking = {"tags", "spectrum"} if cell == "feedforward" else {"tags"}
    assert set(together) == set(ON_DEMAND_READINGS) - lacking
    for name, reading in together.items():
        alone = compute_on_demand(trace, [name])
        assert list(alone) == [name]
        for (path, expected), (_, value) in zip(leaves(alone[name]), leaves(reading), strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-12, err_msg=path)


def test_nothing_is_computed_that_is_not_requested():
    e = Experiment(hidden_size=4, seq_len=5)
    assert compute_on_demand(trace_forward(build(e), sample(e, 2, 1)), []) == {}


def test_a_request_is_written_in_one_way_only():
    for text in ("decomposition", "terms:0:1", "terms:10:0", "followed:7"):
        assert str(ReadingRequest.parse(text)) == text
    for text in ("", "terms", "terms:1", "terms:01:0", "terms:1:0:0", "terms:-1:0", "followed:x", "followed:",
                 "spectrum:1", "hidden", "followed:" + "9" * 5000):  # fmt: skip
        assert ReadingRequest.parse(text) is None, text


def test_a_frame_says_which_requests_it_answers():
    trainer = Trainer(Experiment(task="xor", rnn_type="many_to_many", num_layers=2, hidden_size=4, seq_len=6))
    frame = trainer.frame(["terms:0:0", "followed:3", "spectrum"])
    assert frame.on_demand == {"terms:0:0", "followed:3", "spectrum"}
    assert trainer.frame(["terms:0:0", "terms:1:0"]).on_demand == {"terms:1:0"}
    # this network has no third layer, no other direction, no loss at step 0 and no step 6
    lacking = ("terms:2:0", "terms:0:1", "followed:0", "followed:6", "terms", "nothing")
    assert trainer.frame(lacking).on_demand == frozenset()


def test_the_newest_request_for_a_reading_counts():
    assert newest_requests({"terms:0:0", "spectrum"}, ["terms:1:0", "followed:2"]) == {
        "terms:1:0", "followed:2", "spectrum",
    }  # fmt: skip
