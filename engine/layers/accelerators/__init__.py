"""Sweeps by hand of the three cells that PyTorch has: three to six times as fast as autograd of their steps.

They compute what `CellTrace` computes, and are tested against it. A cell without an entry here loses nothing but time.
"""

from __future__ import annotations

from engine.layers.accelerators.gru import GRUTrace
from engine.layers.accelerators.lstm import LSTMTrace
from engine.layers.accelerators.lstm_projected import ProjectedLSTMTrace
from engine.layers.accelerators.rnn import RNNTrace
from engine.layers.cell_trace import LibraryTrace

ACCELERATORS: dict[str, type[LibraryTrace]] = {"rnn": RNNTrace, "gru": GRUTrace, "lstm": LSTMTrace}
"""By the cell's name in `engine.cells.CELLS`."""

__all__ = ["ACCELERATORS", "ProjectedLSTMTrace"]
