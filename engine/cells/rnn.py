"""The plain (Elman) cell: h_t = phi(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), phi one of tanh, ReLU, sigmoid, identity.

Jacobian dh_t/dh_{t-1} = diag(phi') W_hh. PyTorch has it with tanh and ReLU.
"""

from engine.cells.cell import Array, Cell, Equation, OldState, Ops


def step(ops: Ops, x: Array, s: OldState) -> tuple[dict[str, Array], dict[str, Array]]:
    """One step; see `engine.cells.cell.Step`."""
    h = ops.phi(ops.W_ih("h", x) + ops.W_hh("h", s("recurrent", "h")))
    return {"h": h}, {"h": h}


CELL = Cell(
    title="RNN",
    summary="The plain cell of Elman (1990).",
    note="One step back in time multiplies a gradient by the slope φ′ and by $W_{hh}$, and by nothing else.",
    letters=("h",),
    gates=("hidden",),
    paths={"recurrent": "h"},
    step=step,
    equations=(Equation("hidden state", r"h_t = \phi(W_{ih} x_t + b_{ih} + W_{hh} h_{t-1} + b_{hh})"),),
    uses_nonlinearity=True,
    torch_layer="RNN",
)
