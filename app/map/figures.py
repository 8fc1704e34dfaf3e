"""Which figures a map has, by name: a panel for each cell; with one axis a single figure of all cells."""

from __future__ import annotations

import plotly.graph_objects as go

from app.figures.base import Patch
from app.map import curves, panels
from app.map.lines import Lines
from app.map.plan import MapPlan
from app.map.results import Results
from engine.cells import CELLS

ALL_CELLS = "All cells"


def templates(plan: MapPlan) -> dict[str, tuple[str, go.Figure]]:
    """The title and the figure without numbers, by name."""
    if plan.y is None:
        return {"map_0": (ALL_CELLS, curves.template(plan))}
    return {
        f"map_{number}": (CELLS[cell].title, panels.template(plan, number)) for number, cell in enumerate(plan.cells)
    }


def patches(results: Results, colour: str, lines: Lines | None) -> dict[str, Patch]:
    """The newest numbers, by name."""
    if results.plan.y is None:
        return {"map_0": curves.patch(results, colour)}
    return {f"map_{cell}": panels.patch(results, cell, colour, lines) for cell in range(len(results.plan.cells))}


def scales(plan: MapPlan, colour: str) -> dict[str, Patch]:
    """What another colour changes, by name."""
    if plan.y is None:
        return {"map_0": curves.scale(colour)}
    return {f"map_{cell}": panels.scale(colour) for cell in range(len(plan.cells))}
