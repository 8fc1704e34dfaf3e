"""The weights that lead from one step's state to the next: W_hh, a vector in its place, or none."""

from __future__ import annotations

from engine.frame import Chain


def symbol(info: Chain) -> str | None:
    """Return their symbol; None for a cell without such weights, whose gates read the input alone."""
    cell = info.cell_kind
    if cell.state_blocks:
        return "W_hh"
    return ", ".join(symbol for vector in cell.vectors if vector.is_recurrent for symbol in vector.symbols) or None


def is_vector(info: Chain) -> bool:
    """Return True if each unit has one weight, to itself, in the place of a row of W_hh."""
    return symbol(info) is not None and not info.cell_kind.state_blocks
