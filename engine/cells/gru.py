"""The gated recurrent unit as PyTorch and cuDNN compute it: the reset gate acts after the product.

z near 1 KEEPS the old state: the opposite of Ng's notes. `gru_2014` has the reset gate where the paper has it.
"""

from engine.cells.cell import Array, Cell, Equation, OldState, Ops, affine


def step(ops: Ops, x: Array, s: OldState) -> tuple[dict[str, Array], dict[str, Array]]:
    """One step; see `engine.cells.cell.Step`."""
    r = ops.sigmoid(ops.W_ih("r", x) + ops.W_hh("r", s("gates", "h")))
    z = ops.sigmoid(ops.W_ih("z", x) + ops.W_hh("z", s("gates", "h")))
    n = ops.tanh(ops.W_ih("n", x) + r * ops.W_hh("n", s("candidate", "h")))
    return {"r": r, "z": z, "n": n}, {"h": (1 - z) * n + z * s("kept", "h")}


CELL = Cell(
    title="GRU",
    summary="The gated recurrent unit (Cho et al., 2014), with the reset gate after the product.",
    note="The reset gate acts after the product, as in PyTorch and cuDNN. z near 1 keeps the old state; Ng's update "
    "gate is 1 − z.",
    letters=("r", "z", "n"),
    gates=("reset_gate", "update_gate", "candidate"),
    paths={"kept": "h", "gates": "h", "candidate": "h"},
    step=step,
    equations=(
        Equation("reset gate", rf"r_t = \sigma({affine('r')})"),
        Equation("update gate", rf"z_t = \sigma({affine('z')})"),
        Equation("new content", r"n_t = \tanh(W_{in} x_t + b_{in} + r_t \odot (W_{hn} h_{t-1} + b_{hn}))"),
        Equation("hidden state", r"h_t = (1 - z_t) \odot n_t + z_t \odot h_{t-1}"),
    ),
    retain_gate="update_gate",
    suggested_forget_bias=2.0,
    torch_layer="GRU",
)
