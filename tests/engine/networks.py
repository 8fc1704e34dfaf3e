"""Small float64 networks and batches of every kind, for the tests that compare with the textbook loop."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.model import RecurrentNetwork, build
from engine.tasks import Batch, sample

NETWORKS = [
    *[{"cell": "rnn", "nonlinearity": each} for each in ("tanh", "relu", "sigmoid", "identity")],
    *[{"cell": cell} for cell in CELLS if cell not in ("rnn", "feedforward")],
    {"cell": "feedforward", "nonlinearity": "sigmoid"},
    {"cell": "feedforward", "window": 3},
]


def name_of(value: object) -> str | None:
    """What a network is called among a test's parameters; None for any other value, which pytest names."""
    return "-".join(map(str, value.values())) if isinstance(value, dict) else None


EVERY_NETWORK = pytest.mark.parametrize("network", NETWORKS, ids=name_of)
LINKED_CELLS = [name for name, cell in CELLS.items() if cell.is_recurrent]
LINKED = pytest.mark.parametrize("cell", LINKED_CELLS)
SEED_OF_MANY_LENGTHS = 20  # sums and words of different lengths, before and after the border
FULL, PADDED = np.array([7, 7, 7]), np.array([7, 3, 5])
TYPES = ("many_to_one", "many_to_many")


def with_lengths(batch: Batch, lengths: np.ndarray, rnn_type: str) -> Batch:
    """The same sequences, cut to these lengths and padded with whatever stood there."""
    t = np.arange(len(batch.mask))[:, None]
    mask = t == lengths - 1 if rnn_type == "many_to_one" else t < lengths
    return dataclasses.replace(batch, mask=mask, lengths=lengths)


def lively(e: Experiment) -> RecurrentNetwork:
    """A float64 network with nothing zero in it."""
    model = build(e).double()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter *= 0.8 if "weight_u" in name else 1.5  # livelier than the default, still not exploding
            if CELLS[e.cell].nonlinearity == "relu" and "bias_ih" in name:
                parameter.abs_().add_(0.3)  # a cell that has no other activation: its units would be dead
    return model


def case(rnn_type: str, lengths: np.ndarray, **settings: object) -> tuple[RecurrentNetwork, Batch]:
    """A network for a task whose sequences can be cut anywhere, and a batch of it."""
    task = {"one_to_many": "melody"}.get(rnn_type, "stocks")
    e = Experiment(**{"task": task, "rnn_type": rnn_type, "hidden_size": 5, "seq_len": int(lengths.max()), "seed": 3,
                      **settings})  # fmt: skip
    return lively(e), with_lengths(sample(e, len(lengths), 11), lengths, rnn_type)
