"""The LSTM of 1997, without a forget gate (Hochreiter and Schmidhuber): the constant error carousel.

Its direct path has dc_t/dc_{t-1} = 1. Differences from the paper: it uses scaled logistic functions where we use tanh,
and its learning rule truncates the paths through the gates, which we keep.
"""

from engine.cells.cell import Array, Cell, Equation, OldState, Ops, affine


def step(ops: Ops, x: Array, s: OldState) -> tuple[dict[str, Array], dict[str, Array]]:
    """One step; see `engine.cells.cell.Step`."""
    i = ops.sigmoid(ops.W_ih("i", x) + ops.W_hh("i", s("gates", "h")))
    g = ops.tanh(ops.W_ih("g", x) + ops.W_hh("g", s("gates", "h")))
    o = ops.sigmoid(ops.W_ih("o", x) + ops.W_hh("o", s("gates", "h")))
    c = ops.state("c", s("kept", "c") + i * g)
    return {"i": i, "g": g, "o": o}, {"h": o * ops.tanh(c), "c": c}


CELL = Cell(
    title="LSTM 1997",
    summary="The LSTM without a forget gate: the cell state keeps everything (Hochreiter and Schmidhuber, 1997).",
    note="Nothing is ever forgotten: the old cell state is kept unchanged. Here tanh is used where the paper of 1997 "
    "has scaled logistic functions.",
    states=("h", "c"),
    letters=("i", "g", "o"),
    gates=("input_gate", "cell_candidate", "output_gate"),
    paths={"kept": "c", "gates": "h"},
    step=step,
    equations=(
        Equation("input gate", rf"i_t = \sigma({affine('i')})"),
        Equation("new content", rf"g_t = \tanh({affine('g')})"),
        Equation("output gate", rf"o_t = \sigma({affine('o')})"),
        Equation("cell state", r"c_t = c_{t-1} + i_t \odot g_t"),
        Equation("hidden state", r"h_t = o_t \odot \tanh(c_t)"),
    ),
)
