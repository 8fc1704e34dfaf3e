"""A feed-forward network without memory, as a baseline: h_t = phi(W_ih x_t + b_ih). No path leads back in time.

With a window, x_t is the concatenation of the last inputs; see `RecurrentNetwork.embed`.
"""

from engine.cells.cell import Array, Cell, Equation, OldState, Ops


def step(ops: Ops, x: Array, s: OldState) -> tuple[dict[str, Array], dict[str, Array]]:
    """One step; see `engine.cells.cell.Step`."""
    h = ops.phi(ops.W_ih("h", x))
    return {"h": h}, {"h": h}


CELL = Cell(
    title="Feed-forward",
    summary="No link to the previous step: every output depends on the present input alone.",
    note="There is no $h_{t-1}$: no state is passed from step to step.",
    letters=("h",),
    gates=("hidden",),
    paths={},
    step=step,
    equations=(Equation("hidden state", r"h_t = \phi(W_{ih} x_t + b_{ih})"),),
    uses_nonlinearity=True,
)
