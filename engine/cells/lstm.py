"""The long short-term memory cell with forget gate, blocks in PyTorch's order.

Back in time, dc_t/dc_{t-1} = diag(f) along the cell state; further paths lead through h.
"""

from engine.cells.cell import Array, Cell, Equation, OldState, Ops, affine


def step(ops: Ops, x: Array, s: OldState) -> tuple[dict[str, Array], dict[str, Array]]:
    """One step; see `engine.cells.cell.Step`."""
    i = ops.sigmoid(ops.W_ih("i", x) + ops.W_hh("i", s("gates", "h")))
    f = ops.sigmoid(ops.W_ih("f", x) + ops.W_hh("f", s("gates", "h")))
    g = ops.tanh(ops.W_ih("g", x) + ops.W_hh("g", s("gates", "h")))
    o = ops.sigmoid(ops.W_ih("o", x) + ops.W_hh("o", s("gates", "h")))
    c = ops.state("c", f * s("kept", "c") + i * g)
    return {"i": i, "f": f, "g": g, "o": o}, {"h": o * ops.tanh(c), "c": c}


CELL = Cell(
    title="LSTM",
    summary="The long short-term memory cell with a forget gate (Gers et al., 2000).",
    note="PyTorch stacks the four recurrent matrices in one, $W_{hh}$, so that a step needs one product "
    "$W_{hh} h_{t-1}$. Going back along the cell state, a gradient is multiplied by the forget gate alone.",
    states=("h", "c"),
    letters=("i", "f", "g", "o"),
    gates=("input_gate", "forget_gate", "cell_candidate", "output_gate"),
    paths={"kept": "c", "gates": "h"},
    step=step,
    equations=(
        Equation("input gate", rf"i_t = \sigma({affine('i')})"),
        Equation("forget gate", rf"f_t = \sigma({affine('f')})"),
        Equation("new content", rf"g_t = \tanh({affine('g')})"),
        Equation("output gate", rf"o_t = \sigma({affine('o')})"),
        Equation("cell state", r"c_t = f_t \odot c_{t-1} + i_t \odot g_t"),
        Equation("hidden state", r"h_t = o_t \odot \tanh(c_t)"),
    ),
    retain_gate="forget_gate",
    suggested_forget_bias=3.0,
    torch_layer="LSTM",
    cost_note="On a CPU PyTorch computes the LSTM, but no other cell, with a faster library (oneDNN): the ratio "
    "compares implementations, not only the arithmetic.",
)
