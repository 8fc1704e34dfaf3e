"""The cell of a loop that somebody wrote by hand: nothing is known of it but its states. It is not in the catalogue.

Its step stands for some function of x_t and h_{t-1}; nobody runs it on numbers.
"""

from engine.cells.cell import Array, Cell, Equation, OldState, Ops


def step(ops: Ops, x: Array, s: OldState) -> tuple[dict[str, Array], dict[str, Array]]:
    """One step; see `engine.cells.cell.Step`."""
    h = ops.phi(ops.W_ih("h", x) + ops.W_hh("h", s("recurrent", "h")))
    return {"h": h}, {"h": h}


CELL = Cell(
    title="Unknown cell",
    summary="A loop written by hand, of which only the states are known.",
    note="What one step does is not known, only the gradient at every state.",
    letters=("h",),
    gates=("hidden",),
    paths={"recurrent": "h"},
    step=step,
    equations=(Equation("hidden state", r"h_t = f(x_t, h_{t-1})"),),
)
