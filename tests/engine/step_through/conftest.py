"""Networks of every cell and shape, whose chains are walked and whose numbers are repeated."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.model import RecurrentNetwork
from engine.step_through.sequence_trace import SequenceTrace
from engine.step_through.tracing import trace_chain
from engine.tasks import Batch, sample
from tests.cases import grid, in_turn
from tests.engine.networks import PADDED, case, lively

SEQUENCE = 2  # of five steps, with two of padding after them
SEED_OF_PADDING = 28  # words of different lengths, of which that one is the shortest
SHAPES: dict[str, dict[str, Any]] = {
    "one to answer": {"rnn_type": "many_to_one"},
    "both ways": {"rnn_type": "many_to_many", "bidirectional": True, "num_layers": 2},
    "cut": {"rnn_type": "many_to_many", "tbptt": 3},
    "fed back": {"rnn_type": "one_to_many", "embedding_size": 3},
    "encoder-decoder": {"task": "reverse", "rnn_type": "encoder_decoder", "seq_len": 6, "num_layers": 2,
                        "embedding_size": 3},
    "encoder both ways": {"task": "addition", "rnn_type": "encoder_decoder",
                          "bidirectional": True, "attention": "dot"},
    "attention": {"task": "reverse", "rnn_type": "encoder_decoder", "seq_len": 6, "attention": "scaled_dot"},
}  # fmt: skip


def fits(cell: str, shape: str) -> bool:
    return CELLS[cell].is_recurrent or shape in ("one to answer", "fed back", "encoder-decoder", "attention")


CASES = pytest.mark.parametrize(("cell", "shape"), grid(list(CELLS), list(SHAPES), kept=in_turn, possible=fits))
LINKED_CASES = pytest.mark.parametrize(
    ("cell", "shape"), grid([name for name in CELLS if CELLS[name].is_recurrent], list(SHAPES), kept=in_turn)
)


@cache
def walked(cell: str, shape: str) -> tuple[RecurrentNetwork, Batch, list[SequenceTrace]]:
    """What `made` makes, and the walks along all its chains: shared by the tests of a file, so none may change it."""
    model, batch = made(cell, shape)
    return model, batch, chains(model, batch)


def made(cell: str, shape: str) -> tuple[RecurrentNetwork, Batch]:
    """A float64 network with nothing zero in it, and a batch of sequences of different lengths."""
    settings = {"cell": cell, **SHAPES[shape]}
    if settings["rnn_type"] != "encoder_decoder":
        return case(lengths=PADDED, **settings)
    e = Experiment(hidden_size=5, seed=3, **settings)
    batch = sample(e, 4, SEED_OF_PADDING)
    assert 2 < batch.lengths[SEQUENCE] < batch.lengths.max()  # padding between the source and the target
    return lively(e), batch


def chains(model: RecurrentNetwork, batch: Batch) -> list[SequenceTrace]:
    e = model.experiment
    return [
        trace_chain(model, batch, layer, d, sequence=SEQUENCE)
        for layer in range(e.num_layers)
        for d in range(e.directions)
    ]
