"""A linear recurrence with gates from the input alone: the minimal GRU (Feng et al., 2024), z near 1 keeping.

h_t = z_t * h_{t-1} + (1 - z_t) * n_t, and neither z nor n reads the state. So dh_t/dh_{t-1} = diag(z_t): what a
gradient loses on its way back can be read off the inputs before a state is known, and all steps can be computed in
parallel (`engine.layers.linear_scan`). The price: a gate that cannot see the state cannot decide by what is stored.
"""

from engine.cells.cell import Array, Cell, Equation, OldState, Ops


def step(ops: Ops, x: Array, s: OldState) -> tuple[dict[str, Array], dict[str, Array]]:
    """One step; see `engine.cells.cell.Step`."""
    z = ops.sigmoid(ops.W_ih("z", x))
    n = ops.W_ih("n", x)
    return {"z": z, "n": n}, {"h": z * s("kept", "h") + (1 - z) * n}


CELL = Cell(
    title="Linear",
    summary="A linear recurrence whose gate reads the input alone (minimal GRU; Feng et al., 2024).",
    note="The gate and the new content read the input alone, so all time steps can be computed in parallel. New "
    "content has no tanh: the step is linear in the old state. z near 1 keeps the old state.",
    letters=("z", "n"),
    gates=("update_gate", "candidate"),
    paths={"kept": "h"},
    step=step,
    equations=(
        Equation("update gate", r"z_t = \sigma(W_{iz} x_t + b_{iz})"),
        Equation("new content", r"n_t = W_{in} x_t + b_{in}"),
        Equation("hidden state", r"h_t = z_t \odot h_{t-1} + (1 - z_t) \odot n_t"),
    ),
    retain_gate="update_gate",
    suggested_forget_bias=3.0,
    gate_bias=("bias_ih",),
)
