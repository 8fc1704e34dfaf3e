"""The linear recurrence with a factor between -1 and 1: h_t = a_t * h_{t-1} + n_t, a_t = tanh of the input alone.

A factor below 0 turns the sign of what is stored. That is what parity needs, and what a gate between 0 and 1 cannot do.
"""

from engine.cells.cell import Array, Cell, Equation, OldState, Ops


def step(ops: Ops, x: Array, s: OldState) -> tuple[dict[str, Array], dict[str, Array]]:
    """One step; see `engine.cells.cell.Step`."""
    a = ops.tanh(ops.W_ih("a", x))
    n = ops.W_ih("n", x)
    return {"a": a, "n": n}, {"h": a * s("kept", "h") + n}


CELL = Cell(
    title="Signed linear",
    summary="A linear recurrence whose factor, between -1 and 1, reads the input alone.",
    note="The factor a may be negative: then the sign of what is stored turns. All time steps can be "
    "computed in parallel.",
    letters=("a", "n"),
    gates=("retain_factor", "candidate"),
    paths={"kept": "h"},
    step=step,
    equations=(
        Equation("factor", r"a_t = \tanh(W_{ia} x_t + b_{ia})"),
        Equation("new content", r"n_t = W_{in} x_t + b_{in}"),
        Equation("hidden state", r"h_t = a_t \odot h_{t-1} + n_t"),
    ),
    retain_gate="retain_factor",
    suggested_forget_bias=2.0,
    gate_bias=("bias_ih",),
)
