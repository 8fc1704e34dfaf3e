"""The gradient of the loss of one chosen step, relative to where that loss enters: one more sweep."""

from __future__ import annotations

import numpy as np

from engine.frame.readings import FollowedLoss
from engine.layers.crossing import to_cpu
from engine.lens.attention_paths import of_sequence, path_numbers
from engine.lens.forward_trace import ForwardTrace
from engine.lens.gradient_flow import seed
from engine.lens.layer_gradients import LayerGradients
from engine.lens.norms import quartiles, relative_sizes
from engine.lens.sweep import SweepResult, sweep


def followed_loss(trace: ForwardTrace, step: int) -> FollowedLoss | None:
    """Follow the loss of one step back through all layers and directions; None if no sequence has a loss there.

    Args:
        step: position on the whole time axis.
    """
    probe = trace.batch
    if not (0 <= step < len(probe.counted) and probe.counted[step].any()):
        return None
    having = probe.counted[step]
    swept = sweep(trace, seed(trace, [step - probe.source_steps]))
    chains = swept.chains
    rows = [[_quartiles(gradients, row[0] if probe.source_steps else gradients,
                        0 if trace.is_read_at_zero(d) else step, having, probe.valid)
             for d, gradients in enumerate(row)] for row in chains]  # fmt: skip
    low, middle, high = np.moveaxis(np.array(rows), 2, 0)
    norms, shares = _paths(swept)
    return FollowedLoss(
        step=step, relative=middle, relative_low=low, relative_high=high, path_norms=norms, path_shares=shares
    )


def _paths(swept: SweepResult) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Norms and shares of the drawn sequence by path, {path: (layers, directions, S)}; empty without attention."""
    if swept.entry is None:
        return {}, {}
    numbers = to_cpu(path_numbers(swept))
    return of_sequence(numbers.memory_norms), of_sequence(numbers.memory_shares)


def _quartiles(
    gradients: LayerGradients, entered: LayerGradients, enters: int, having: np.ndarray, valid: np.ndarray
) -> np.ndarray:
    """(3, T) of one layer and direction, in the state that carries memory, over the sequences that have the loss.

    Args:
        entered: the chain that the loss enters at `enters`; a decoder has none backwards.
    """
    own, there = (_memory_norms(each)[:, having] for each in (gradients, entered))  # (T, sequences)
    return quartiles(relative_sizes(own, there[enters]), valid[:, having])


def _memory_norms(gradients: LayerGradients) -> np.ndarray:
    """(T, B) of the only seed."""
    memory = gradients.total if gradients.total_cell is None else gradients.total_cell
    return memory.norm()[:, 0].cpu().numpy()
