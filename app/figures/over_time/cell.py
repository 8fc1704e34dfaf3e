"""The cell state c, drawn like the hidden state: unit by step in time."""

from __future__ import annotations

import dataclasses

import plotly.graph_objects as go

from app.figures.base import GATES, ChainFigure, Curves, Patch
from app.figures.over_time import hidden
from engine.frame import Chain, Look


def _with_cell_as_hidden(frame: Look) -> Look:
    """Return the frame with c in the place of h, for the functions that draw h."""
    assert frame.cell is not None
    return dataclasses.replace(frame, hidden=frame.cell)


def template(info: Chain) -> go.Figure:
    """The hidden state's heat map."""
    return hidden.template(info)


def patch(info: Chain, frame: Look, curves: Curves) -> Patch:
    """Patch the cell states of the drawn sequence, on the smallest scale that holds them."""
    return hidden.patch(info, _with_cell_as_hidden(frame), curves)


def readout(info: Chain, frame: Look) -> str:
    """Return the scale of the colours, often wider than that of h."""
    return hidden.colours(info, _with_cell_as_hidden(frame))


FIGURE = ChainFigure(
    title=lambda info: "Cell states",
    look_for=lambda info: "The cell state c can grow beyond 1, unlike the hidden state above.",
    how=lambda info: (
        f"c_t of the drawn sequence, computed step by step with the cell's equations. engine/cells/{info.cell}.py."
    ),
    label="Heat map of the cell state, unit by time step",
    tab=GATES,
    over="time",
    applies=lambda info: info.memory_symbol == "c",
    template=template,
    patch=patch,
    readout=readout,
)
