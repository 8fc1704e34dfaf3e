"""The LSTM with peepholes: gates also see the cell state (Gers and Schmidhuber, 2000).

The peephole weights p_i, p_f, p_o are concatenated in weight_ch (3H,): one number per unit, not a matrix.
"""

from engine.cells.cell import Array, Cell, Equation, OldState, Ops, Vector, affine


def step(ops: Ops, x: Array, s: OldState) -> tuple[dict[str, Array], dict[str, Array]]:
    """One step; see `engine.cells.cell.Step`."""
    i = ops.sigmoid(ops.W_ih("i", x) + ops.W_hh("i", s("gates", "h")) + ops.vector("p_i") * s("peepholes", "c"))
    f = ops.sigmoid(ops.W_ih("f", x) + ops.W_hh("f", s("gates", "h")) + ops.vector("p_f") * s("peepholes", "c"))
    g = ops.tanh(ops.W_ih("g", x) + ops.W_hh("g", s("gates", "h")))
    c = ops.state("c", f * s("kept", "c") + i * g)
    o = ops.sigmoid(ops.W_ih("o", x) + ops.W_hh("o", s("gates", "h")) + ops.vector("p_o") * c)
    return {"i": i, "f": f, "g": g, "o": o}, {"h": o * ops.tanh(c), "c": c}


CELL = Cell(
    title="Peephole LSTM",
    summary="The LSTM whose gates also read the cell state (Gers and Schmidhuber, 2000).",
    note="The gates also read the cell state: i and f the previous one, $c_{t-1}$; o the new one, $c_t$, so $c_t$ is "
    "computed before o. p is one number per unit: each unit reads only its own cell state.",
    states=("h", "c"),
    letters=("i", "f", "g", "o"),
    gates=("input_gate", "forget_gate", "cell_candidate", "output_gate"),
    paths={"kept": "c", "gates": "h", "peepholes": "c"},
    step=step,
    equations=(
        Equation("input gate", rf"i_t = \sigma({affine('i')} + p_i \odot c_{{t-1}})"),
        Equation("forget gate", rf"f_t = \sigma({affine('f')} + p_f \odot c_{{t-1}})"),
        Equation("new content", rf"g_t = \tanh({affine('g')})"),
        Equation("cell state", r"c_t = f_t \odot c_{t-1} + i_t \odot g_t"),
        Equation("output gate", rf"o_t = \sigma({affine('o')} + p_o \odot c_t)"),
        Equation("hidden state", r"h_t = o_t \odot \tanh(c_t)"),
    ),
    retain_gate="forget_gate",
    suggested_forget_bias=3.0,
    vectors=(Vector("weight_ch", ("p_i", "p_f", "p_o")),),
)
