"""The gradient of the last loss alone, of a module that was called several times in one backward pass.

What autograd brings back to an earlier call is of all losses together. So the drawn sequence is swept once more through
all calls, in their order. The whole gradient is swept beside it: only if that is what autograd has brought is a state
handed on from call to call unchanged, and the last loss's gradient is right, too.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from engine.layers.cell_trace import to_float64_cpu
from engine.lens.forward_trace import ForwardPass
from engine.lens.incoming import IncomingRows, nothing_incoming
from engine.lens.layer_gradients import Rows
from engine.lens.scaled import Scaled
from engine.lens.sweep import SweepResult, sweep_pass
from engine.watch.kept import WatchedTrace

ALLOWED = {4: 1e-3, 8: 1e-8}
"""By bytes of a number: how far the whole gradient may be from autograd's, relative to its largest value."""


@torch.no_grad()
def last_loss_alone(trace: WatchedTrace, known: list[Rows], direct: np.ndarray, enters: int) -> SweepResult | None:
    """Sweep the whole gradient (seed 0) and that of the last loss (seed 1) through all calls.

    Args:
        known: the whole gradient as it was measured, call by call. direct: (T, units), the part that enters the top
            layer from above, in the same unit. enters: the step of the last loss.

    Returns:
        None if states are changed between the calls, or where that is not known.
    """
    if not np.isfinite(direct).all():
        return None
    whole = torch.from_numpy(direct)
    alone = torch.zeros_like(whole)
    alone[enters] = whole[enters]
    bytes_each = trace.passes[0].output.element_size()
    wide = WatchedTrace([_in_float64(one) for one in trace.passes], trace.detached)
    found = _sweep_all(wide, torch.stack([whole, alone], 1)[:, :, None])
    return SweepResult(wide, found) if _agree(known, found, ALLOWED[max(bytes_each, 4)]) else None


def _in_float64(one: ForwardPass) -> ForwardPass:
    rows = [[trace.map_tensors(to_float64_cpu) for trace in row] for row in one.cell_traces]
    masks = {layer: to_float64_cpu(mask) for layer, mask in one.masks.items()}
    return replace(
        one, cell_traces=rows, inputs=to_float64_cpu(one.inputs), output=to_float64_cpu(one.output), masks=masks
    )


def _sweep_all(trace: WatchedTrace, above: Tensor) -> list[Rows]:
    """Sweep pass by pass from the last. above: (T, S, 1, units)."""
    found: list[Rows] = []
    stop, incoming = len(above), nothing_incoming(trace.passes[-1])
    for one in reversed(trace.passes):
        start = stop - len(one.output)
        cuts = [t - start for t in trace.cuts if start < t < stop]
        rows, leaving = sweep_pass(one, Scaled.of(above[start:stop]), incoming, cuts)
        goes_on = one.is_linked and start not in trace.cuts
        incoming = _as_incoming(leaving) if goes_on else nothing_incoming(one)
        found.append(rows)
        stop = start
    return found[::-1]


def _as_incoming(leaving: list) -> IncomingRows:
    return [list(row) for row in leaving]


def _agree(known: list[Rows], found: list[Rows], allowed: float) -> bool:
    """Whether the whole gradient is the same in all layers, at all steps, in h and in c."""
    for mine, theirs in zip(_whole(found), _whole(known), strict=True):
        if not float((mine - theirs).abs().max()) <= allowed * max(float(theirs.abs().max()), 1e-300):
            return False
    return True


def _whole(passes: list[Rows]) -> list[Tensor]:
    """The whole gradient at the states of every layer, (T, units) float64; h of all layers, then c."""
    layers = range(len(passes[0]))
    states: list[list[Scaled | None]] = [[rows[layer][0].total for rows in passes] for layer in layers]
    states += [[rows[layer][0].total_cell for rows in passes] for layer in layers]
    found = [[to_float64_cpu(each.to_float64()[:, 0, 0]) for each in state if each is not None] for state in states]
    return [torch.cat(parts) for parts in found if parts]
