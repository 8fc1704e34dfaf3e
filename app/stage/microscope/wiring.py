"""The wiring of a cell, found from its step: where gates, valves, sums and wires stand. No torch."""

from __future__ import annotations

from app.stage.microscope.drawing import Board, Wiring
from app.stage.microscope.gated_layout import GatedLayout
from app.stage.microscope.names import Names
from app.stage.microscope.plain_layout import plain
from app.stage.microscope.step_graph import step_graph
from engine.cells import Cell


def wiring(cell: Cell, nonlinearity: str) -> Wiring:
    """The picture of a cell without numbers.

    Args:
        cell: any cell, also one that is not in the catalogue.
        nonlinearity: the activation of a plain cell that lets one choose.

    Raises:
        CellError: if its step does something for which the picture has no sign.
    """
    graph, board = step_graph(cell, nonlinearity), Board(Names(cell), Names(cell, ng=True))
    return plain(graph, board) if graph.is_plain else GatedLayout(graph, board).drawn()
