"""The gradient of the loss of one chosen step, relative to where that loss enters: one more sweep."""

from __future__ import annotations

import numpy as np

from engine.frame.readings import FollowedLoss
from engine.lens.forward_trace import ForwardTrace
from engine.lens.gradient_flow import seed
from engine.lens.norms import quartiles, relative_sizes
from engine.lens.sweep import LayerGradients, sweep


def followed_loss(trace: ForwardTrace, step: int) -> FollowedLoss | None:
    """Follow the loss of one step back through all layers and directions; None if no sequence has a loss there.

    Args:
        step: position on the whole time axis.
    """
    probe = trace.batch
    if not (0 <= step < len(probe.counted) and probe.counted[step].any()):
        return None
    having = probe.counted[step]
    chains = sweep(trace, seed(trace, [step - probe.source_steps])).chains
    rows = [[_quartiles(gradients, 0 if trace.is_read_at_zero(d) else step, having, probe.valid)
             for d, gradients in enumerate(row)] for row in chains]  # fmt: skip
    low, middle, high = np.moveaxis(np.array(rows), 2, 0)
    return FollowedLoss(step=step, relative=middle, relative_low=low, relative_high=high)


def _quartiles(gradients: LayerGradients, enters: int, having: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """(3, T) of one layer and direction, in the state that carries memory, over the sequences that have the loss."""
    memory = gradients.total if gradients.total_cell is None else gradients.total_cell
    norms = memory.norm()[:, 0].cpu().numpy()[:, having]  # (T, sequences)
    return quartiles(relative_sizes(norms, norms[enters]), valid[:, having])
