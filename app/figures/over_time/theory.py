"""What theory says about the gradient that reaches each step, from the weights or the keeping gate alone.

A plain cell passes a gradient back through its slope and its weights. No slope is above 1, so that k steps back at
most sigma_max(W)^k of it is left, sigma_max the largest singular value (Pascanu, Mikolov and Bengio, 2013). A gated
cell keeps the old state by one gate: along that path alone the product of the gate's values is left (Gers, 2000).
"""

from __future__ import annotations

import numpy as np

from engine.frame import Chain, Look


def name(info: Chain) -> str:
    """Return the line's name in the legend."""
    cell = info.cell_kind
    if cell.is_plain:
        return f"theory: at most σ_max({'W_hh' if cell.state_blocks else 'u'})<sup>k</sup>"
    if cell.retain_gate is None:
        return "theory: along c, which keeps everything"
    return f"theory: product of {cell.retain_gate.replace('_', ' ')}s"


def is_known(info: Chain) -> bool:
    """Return True if theory has a line for this cell."""
    return info.has_links and info.is_cell_known


def how(info: Chain) -> str:
    """Return what the line is, in a sentence; empty without one."""
    cell = info.cell_kind
    if not is_known(info):
        return ""
    if cell.is_plain:
        return (
            "Theory's line, in the legend: σ_max is the largest singular value of the weights from one state to the "
            "next, k the number of steps back. No slope is above 1, so no gradient through this layer alone is above "
            "the line. "
        )
    if cell.retain_gate is None:
        return "Theory's line, in the legend: the path along c alone, which multiplies by 1. "
    return (
        "Theory's line, in the legend: the product over the steps back of the gate that keeps the old state (the mean "
        "over units, of the drawn sequence); that path alone, without those through the other gates. "
    )


def line(info: Chain, frame: Look) -> np.ndarray:
    """Return (T,) for the shown chain: relative to where the followed loss enters; NaN in padding and after the loss.

    Also NaN throughout for a cell without links, and where an old recording does not have the weights' norm. Exactly 0
    beyond a cut by truncation.
    """
    layer, d = info.shown_chain
    kept = _kept(info, frame, layer, d)
    line = np.full(info.time_steps, np.nan)
    if kept is None:
        return line
    if info.entered(d) != d:  # the way leads through a decoder, which is no part of this chain
        return line
    cuts, back = set(info.walls), -1 if d == 0 else 1
    t, left = info.enters(d), 1.0
    while 0 <= t < info.time_steps:
        if frame.valid[t]:
            line[t] = left
            left *= 0.0 if t in cuts else float(kept[t])
        t += back
    return line


def _kept(info: Chain, frame: Look, layer: int, d: int) -> np.ndarray | None:
    """Return (T,): by how much the step at t multiplies a gradient on its way to the step before; None if unknown."""
    cell = info.cell_kind
    if not info.has_links:
        return None
    if not cell.is_plain:
        if cell.retain_gate is None:
            return np.ones(info.time_steps)
        return np.abs(frame.gates[cell.retain_gate][layer, d]).mean(-1)
    norms = [float(norm) for path, norm in frame.spectral_norms.items() if path.endswith(_suffix(layer, d))]
    if not norms:
        return None
    passes = (info.encoder_steps, info.time_steps - info.encoder_steps) if len(norms) == 2 else (info.time_steps,)
    return np.repeat(norms, passes)


def _suffix(layer: int, d: int) -> str:
    return f"_l{layer}" + ("_reverse" if d else "")
