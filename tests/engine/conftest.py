"""What the tests of several rooms share.

Torch computes in one thread, as in a worker: on networks this small two threads wait for each other more than they
compute.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
import torch

from engine.experiment import Experiment
from engine.frame import Frame
from engine.frame.frozen import FrozenArrays
from engine.training import Trainer
from tests.engine.two_nodes import TwoNodes

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def nodes() -> Iterator[TwoNodes]:
    """A Ray cluster of two nodes, to which this process is connected."""
    nodes = TwoNodes()
    yield nodes
    nodes.shutdown()


@cache
def untrained_frame() -> Frame:
    """The first frame of a network as small as can be."""
    return Trainer(Experiment(seq_len=2, hidden_size=2)).frame()


def assert_same(first: object, second: object, name: str = "frame") -> None:
    """Bit-identical in everything but the seconds."""
    assert type(first) is type(second), name
    if isinstance(first, FrozenArrays):
        for each in dataclasses.fields(first):
            if each.name != "seconds":
                assert_same(getattr(first, each.name), getattr(second, each.name), each.name)
    elif isinstance(first, dict):
        assert first.keys() == second.keys()
        for key in first:
            assert_same(first[key], second[key], f"{name} {key}")
    elif isinstance(first, np.ndarray):
        assert np.array_equal(first, second, equal_nan=True), name
    else:
        assert first == second or (first != first and second != second), name
