"""The layers that can stand side by side, by the cell's name in `engine.cells.CELLS`."""

from __future__ import annotations

from engine.many.recurrences.gru import GRU
from engine.many.recurrences.lstm import LSTM
from engine.many.recurrences.recurrence import Recurrence
from engine.many.recurrences.rnn import RNN

RECURRENCES: dict[str, type[Recurrence]] = {"rnn": RNN, "gru": GRU, "lstm": LSTM}

__all__ = ["RECURRENCES", "Recurrence"]
