"""The cell state c, drawn like the hidden state: unit by step in time."""

from __future__ import annotations

import dataclasses

import plotly.graph_objects as go

from app.figures.base import GATES, ChainFigure, Curves, Patch
from app.figures.over_time import hidden
from engine.frame import Chain, Look


def _as_hidden(look: Look) -> Look:
    """Return the look with c in the place of h, for the functions that draw h."""
    assert look.cell is not None
    return dataclasses.replace(look, hidden=look.cell)


def _unprojected(info: Chain) -> Chain:
    """Return the chain with as many units of h as there are of c."""
    return dataclasses.replace(info, proj_size=0)


def template(info: Chain) -> go.Figure:
    """The hidden state's heat map."""
    return hidden.template(_unprojected(info))


def patch(info: Chain, frame: Look, curves: Curves) -> Patch:
    """Patch the cell states of the drawn sequence, on the smallest scale that holds them."""
    return hidden.patch(_unprojected(info), _as_hidden(frame), curves)


def readout(info: Chain, frame: Look) -> str:
    """Return the scale of the colours, often wider than that of h."""
    return hidden.colours(_unprojected(info), _as_hidden(frame))


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
