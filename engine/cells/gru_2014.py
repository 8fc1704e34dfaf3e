"""The gated recurrent unit of the paper (Cho et al., 2014): the reset gate acts before the product.

W_hn is multiplied with r * h_{t-1}, so its gradient is a sum over time of dL/dn outer (r * h_{t-1}). z near 1 keeps the
old state, as in PyTorch's GRU.
"""

from engine.cells.cell import Array, Cell, Equation, OldState, Ops, affine


def step(ops: Ops, x: Array, s: OldState) -> tuple[dict[str, Array], dict[str, Array]]:
    """One step; see `engine.cells.cell.Step`."""
    r = ops.sigmoid(ops.W_ih("r", x) + ops.W_hh("r", s("gates", "h")))
    z = ops.sigmoid(ops.W_ih("z", x) + ops.W_hh("z", s("gates", "h")))
    n = ops.tanh(ops.W_ih("n", x) + ops.W_hh("n", r * s("candidate", "h")))
    return {"r": r, "z": z, "n": n}, {"h": (1 - z) * n + z * s("kept", "h")}


CELL = Cell(
    title="GRU 2014",
    summary="The gated recurrent unit of the paper (Cho et al., 2014): the reset gate acts before the product.",
    note="The reset gate acts before the product, as in the paper of 2014; PyTorch's GRU has it after the product. z "
    "near 1 keeps the old state.",
    letters=("r", "z", "n"),
    gates=("reset_gate", "update_gate", "candidate"),
    paths={"kept": "h", "gates": "h", "candidate": "h"},
    step=step,
    equations=(
        Equation("reset gate", rf"r_t = \sigma({affine('r')})"),
        Equation("update gate", rf"z_t = \sigma({affine('z')})"),
        Equation("new content", r"n_t = \tanh(W_{in} x_t + b_{in} + W_{hn} (r_t \odot h_{t-1}) + b_{hn})"),
        Equation("hidden state", r"h_t = (1 - z_t) \odot n_t + z_t \odot h_{t-1}"),
    ),
    retain_gate="update_gate",
    suggested_forget_bias=2.0,
    state_arguments={"n": r"(r_t \odot h_{t-1})"},
)
