"""The catalogue of recurrent cells: one file each, and one line here. No torch."""

from __future__ import annotations

from engine.cells import (
    feedforward,
    gru,
    gru_2014,
    gru_simple,
    indrnn,
    linear,
    linear_signed,
    lstm,
    lstm_layer_norm,
    lstm_no_forget,
    lstm_peephole,
    rnn,
    unknown,
)
from engine.cells.cell import Cell, Equation, Ops, Vector

CELLS: dict[str, Cell] = {
    "rnn": rnn.CELL,
    "gru": gru.CELL,
    "lstm": lstm.CELL,
    "lstm_peephole": lstm_peephole.CELL,
    "lstm_no_forget": lstm_no_forget.CELL,
    "gru_simple": gru_simple.CELL,
    "feedforward": feedforward.CELL,
    "lstm_layer_norm": lstm_layer_norm.CELL,
    "gru_2014": gru_2014.CELL,
    "indrnn": indrnn.CELL,
    "linear": linear.CELL,
    "linear_signed": linear_signed.CELL,
}

UNKNOWN_CELL = unknown.CELL
"""Stands for a cell of which nothing is known. Nobody can choose it."""

__all__ = ["CELLS", "UNKNOWN_CELL", "Cell", "Equation", "Ops", "Vector"]
