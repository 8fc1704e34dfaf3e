"""Which module implements a cell (PyTorch's own if it has the cell) and which trace the lens uses for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from engine.cells import CELLS, feedforward, gru_simple, lstm_no_forget, lstm_peephole, rnn
from engine.cells.adjoint import CellTrace, State, Step, Weights
from engine.cells.feedforward import FeedforwardTrace
from engine.cells.gru import GRUTrace
from engine.cells.lstm import LSTMTrace
from engine.cells.rnn import RNNTrace
from engine.cells.stepwise import StepwiseLayers
from engine.experiment import Experiment
from engine.parameters import LIBRARY, in_library

STEPS: dict[str, Callable[[Experiment], Step]] = {
    "rnn": lambda e: rnn.step_with(e.nonlinearity),
    "feedforward": lambda e: feedforward.step_with(e.nonlinearity),
    "lstm_peephole": lambda e: lstm_peephole.step,
    "lstm_no_forget": lambda e: lstm_no_forget.step,
    "gru_simple": lambda e: gru_simple.step,
}
"""Steps of what PyTorch does not have: some activations of the plain cell, and these cells."""

CELL_TRACES: dict[str, Callable[[Weights, Tensor, Tensor, State, str], CellTrace]] = {
    "rnn": RNNTrace,
    "gru": GRUTrace,
    "lstm": LSTMTrace,
    "feedforward": FeedforwardTrace,
}
"""Traces with a hand-written backward sweep; for any other cell autograd differentiates its step."""


def make_layers(experiment: Experiment, input_size: int) -> nn.RNNBase | StepwiseLayers:
    """Build the recurrent layers of an experiment. Draws weights from torch's global generator, as PyTorch does."""
    e, shape = experiment, (input_size, experiment.hidden_size, experiment.num_layers)
    options: dict[str, Any] = {"bidirectional": e.bidirectional, "dropout": e.dropout}
    if CELLS[e.cell].uses_nonlinearity:
        options["nonlinearity"] = e.nonlinearity
    if in_library(e):
        return getattr(nn, LIBRARY[e.cell])(*shape, **options)
    return StepwiseLayers(e.cell, STEPS[e.cell](e), *shape, **options)
