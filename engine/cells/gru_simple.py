"""The simple gated unit of Ng's course: an update gate and nothing else.

z near 1 KEEPS the old state, as in PyTorch's GRU. Ng writes c for h and his update gate is 1 - z.
"""

from engine.cells.cell import Array, Cell, Equation, OldState, Ops, affine


def step(ops: Ops, x: Array, s: OldState) -> tuple[dict[str, Array], dict[str, Array]]:
    """One step; see `engine.cells.cell.Step`."""
    z = ops.sigmoid(ops.W_ih("z", x) + ops.W_hh("z", s("gates", "h")))
    n = ops.tanh(ops.W_ih("n", x) + ops.W_hh("n", s("candidate", "h")))
    return {"z": z, "n": n}, {"h": n + z * (s("kept", "h") - n)}  # (1 - z) n + z h, with one multiplication


CELL = Cell(
    title="Simple GRU",
    summary="The gated unit with one gate: z near 1 keeps the old state.",
    note="It has no reset gate. z near 1 keeps the old state; Ng's update gate is 1 − z. Ng writes c for h.",
    letters=("z", "n"),
    gates=("update_gate", "candidate"),
    paths={"kept": "h", "gates": "h", "candidate": "h"},
    step=step,
    equations=(
        Equation("update gate", rf"z_t = \sigma({affine('z')})"),
        Equation("new content", rf"n_t = \tanh({affine('n')})"),
        Equation("hidden state", r"h_t = (1 - z_t) \odot n_t + z_t \odot h_{t-1}"),
    ),
    retain_gate="update_gate",
    suggested_forget_bias=2.0,
)
