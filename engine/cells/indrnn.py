"""The independently recurrent network (Li et al., 2018): h_t = relu(W_ih x_t + b_ih + u * h_{t-1}), u a vector.

No unit sees another one of its layer: dh_t/dh_{t-1} = diag(u) where h_t > 0, else 0, so over k steps a gradient is
multiplied, unit by unit, by u^k or by 0. As in the authors' code, |u| is held at or below 2^(1/T) after every update:
over a whole sequence of T steps no unit more than doubles a gradient.
"""

from engine.cells.cell import Array, Cell, Equation, OldState, Ops, Vector


def step(ops: Ops, x: Array, s: OldState) -> tuple[dict[str, Array], dict[str, Array]]:
    """One step; see `engine.cells.cell.Step`."""
    h = ops.relu(ops.W_ih("h", x) + ops.vector("u") * s("recurrent", "h"))
    return {"h": h}, {"h": h}


def largest(time_steps: int) -> float:
    """The largest |u| after an update."""
    return float(2 ** (1 / time_steps))


CELL = Cell(
    title="IndRNN",
    summary="The independently recurrent network: every unit reads its own past alone (Li et al., 2018).",
    note="Each unit reads its own past alone: u is one number per unit, not a matrix. After every update |u| is cut to "
    "at most $2^{1/T}$, so that over T time steps no unit more than doubles a gradient.",
    letters=("h",),
    gates=("hidden",),
    paths={"recurrent": "h"},
    step=step,
    equations=(Equation("hidden state", r"h_t = \mathrm{ReLU}(W_{ih} x_t + b_{ih} + u \odot h_{t-1})"),),
    nonlinearity="relu",
    vectors=(Vector("weight_u", ("u",), start=(0.0, 1.0), is_recurrent=True, limit=largest),),
)
