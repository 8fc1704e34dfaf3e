"""The picture of a cell without gates: every term of its sum has a box of its own. No torch."""

from __future__ import annotations

from app.stage.microscope.drawing import BOX, END_X, SUM_RADIUS, Board, Wiring
from app.stage.microscope.names import FUNCTIONS
from app.stage.microscope.step_graph import Operation, StepGraph, Way

ROW_Y, PRODUCT_Y, BIAS_Y, FLOOR = 180, 284, 104, 380
SUM_X, FUNCTION_X, LEFT, FIRST_BOX, LAST_BOX = 350, 530, 0, 180, 270


def plain(graph: StepGraph, board: Board) -> Wiring:
    """From the left the old state, from below the input, to the right the new state."""
    result = graph.gates[graph.cell.letters[0]]
    for way in result.ways:
        (_from_below if way.source == "x" else _from_left)(way, board)
    if graph.bare_biases(graph.cell.letters[0]):
        value = f"b {graph.cell.letters[0]}"
        board.wire("bias", value, "inner", (SUM_X, BIAS_Y), (SUM_X, ROW_Y - SUM_RADIUS))
        board.node("bias", "end", value, "b", (SUM_X + 12, BIAS_Y + 10))
    board.node("sum", "sum", result.total, "", (SUM_X, ROW_Y), (2 * SUM_RADIUS, 2 * SUM_RADIUS))
    board.node("sum name", "end", result.total, "sum", (SUM_X + 22, ROW_Y - 16))
    half = BOX[0] / 2
    board.wire("sum", result.total, "inner", (SUM_X + SUM_RADIUS, ROW_Y), (FUNCTION_X - half, ROW_Y))
    (function,) = result.after
    board.node("new", "box", "h", FUNCTIONS[function.name], (FUNCTION_X, ROW_Y), BOX)
    board.wire("h", "h", "state", (FUNCTION_X + half, ROW_Y), (END_X, ROW_Y))
    board.up(ROW_Y)
    board.end("h", (690, ROW_Y - 20))
    if graph.cell.is_recurrent:
        board.node("slope", "back", "slope", "◀ × slope", (FUNCTION_X, ROW_Y - 42))
    return board.wiring()


def _from_below(way: Way, board: Board) -> None:
    (product,) = way.operations
    half = BOX[1] / 2
    board.wire("line x", "x", "xh line", (SUM_X, FLOOR), (SUM_X, PRODUCT_Y + half))
    board.node("product x", "product", product.value, "W_xh", (SUM_X, PRODUCT_Y), BOX)
    board.wire("thread x new", product.value, "xh", (SUM_X, PRODUCT_Y - half), (SUM_X, ROW_Y + SUM_RADIUS))
    board.end("x", (SUM_X + 16, FLOOR - 6))


def _from_left(way: Way, board: Board) -> None:
    value, x, half = way.source, float(LEFT), BOX[0] / 2
    places = [FIRST_BOX + (LAST_BOX - FIRST_BOX) * at for at in range(len(way.operations))]
    kind = "state"
    for place, operation in zip(places, way.operations, strict=True):
        board.wire("line h" if kind == "state" else "thread h", value, kind, (x, ROW_Y), (place - half, ROW_Y))
        label = {"product": "W_hh", "norm": "LN"}.get(operation.kind, operation.name)
        board.node("product h", operation.kind, operation.value, label, (place, ROW_Y), BOX)
        _back(operation, label, place, board)
        value, x, kind = operation.value, place + half, "hh"
    board.wire("thread h new", value, kind, (x, ROW_Y), (SUM_X - SUM_RADIUS, ROW_Y))
    board.end(way.source, (-4, ROW_Y - 20))


def _back(operation: Operation, label: str, x: float, board: Board) -> None:
    """What a gradient is multiplied by on its way back: the matrix has no single number, a vector has."""
    value = f"vector {operation.name}" if operation.kind == "vector" else ""
    board.node("weights back", "back", value, f"◀ × {label}", (x, ROW_Y - 42))
