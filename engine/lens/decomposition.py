"""The gradient of each step's own loss: one sweep with one seed per loss."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine.frame.readings import Decomposition
from engine.layers.crossing import to_cpu
from engine.lens.attention_paths import path_numbers
from engine.lens.forward_trace import ForwardTrace, trace_forward
from engine.lens.gradient_flow import loss_gradient
from engine.lens.scaled import Scaled
from engine.lens.subsample import evenly_spaced, in_chunks
from engine.lens.sweep import SweepResult, sweep
from engine.model import RecurrentNetwork
from engine.tasks import Batch


def loss_decomposition(model: RecurrentNetwork, batch: Batch, sequence: int = 0) -> Decomposition:
    """Compute ||dL_k/dh_t|| for every loss L_k and state h_t of one sequence, and its cosine with the total dL/dh_t.

    The result has all T steps; those without a loss have norm 0. L is the loss of this sequence, l_b.
    Source: the "itemized gradients" of RNNbow (Cashman et al., 2017); the cosines are ours.
    """
    trace = trace_forward(model, batch).single_sequence(sequence)
    steps = np.flatnonzero(trace.batch.counted[:, 0])
    some = decompose(trace, steps)
    total = len(trace.batch.valid)
    norms = np.zeros((*some.norms.shape[:2], total, total))
    cosines = np.full_like(norms, np.nan)
    norms[:, :, steps], cosines[:, :, steps] = some.norms, some.cosines
    return Decomposition(
        np.arange(total),
        norms,
        cosines,
        _spread(some.path_norms, steps, total),
        _spread(some.path_shares, steps, total),
    )


def _spread(paths: dict[str, np.ndarray], steps: np.ndarray, total: int) -> dict[str, np.ndarray]:
    """From the losses at `steps` to all steps; those without a loss have NaN."""
    whole = {}
    for path, values in paths.items():
        whole[path] = np.full((*values.shape[:2], total, values.shape[-1]), np.nan)
        whole[path][:, :, steps] = values
    return whole


@torch.no_grad()
def decompose(trace: ForwardTrace, steps: np.ndarray) -> Decomposition:
    """Decompose the gradient of one sequence by the losses at `steps`.

    Args:
        trace: of a single sequence.
        steps: (K,) positions on the whole time axis, all with a loss.
    """
    parts = [decomposition_of(sweep(trace, loss_seeds(trace, chunk)), chunk) for chunk in in_chunks(steps)]
    norms, cosines = [part.norms for part in parts], [part.cosines for part in parts]
    paths = [
        {path: np.concatenate([values[path] for values in rows], 2) for path in rows[0]}
        for rows in ([part.path_norms for part in parts], [part.path_shares for part in parts])
    ]
    return Decomposition(steps, np.concatenate(norms, 2), np.concatenate(cosines, 2), *paths)


def seeds(trace: ForwardTrace) -> Tensor | None:
    """Return the seeds for a frame: the losses that it shows; None if the sequence has only one loss."""
    steps = _shown_losses(trace)
    return loss_seeds(trace, steps) if len(steps) > 1 else None


def read(trace: ForwardTrace, swept: SweepResult | None) -> Decomposition | None:
    """Return a frame's decomposition from the sweep of its `seeds`."""
    return None if swept is None else decomposition_of(swept, _shown_losses(trace))


def _shown_losses(trace: ForwardTrace) -> np.ndarray:
    """Positions of the losses that a frame shows, (K,)."""
    return evenly_spaced(np.flatnonzero(trace.batch.counted[:, 0]))


def loss_seeds(trace: ForwardTrace, steps: np.ndarray) -> Tensor:
    """Seeds for the sweep, (T, K + 1, 1, directions * H): dL_k/d(output) for each loss, then that of all losses."""
    gradient = loss_gradient(trace)  # (T, 1, directions * H); row k is the gradient of loss k
    targets = torch.as_tensor(steps - trace.batch.source_steps)
    seeds = gradient.new_zeros(len(gradient), len(targets) + 1, *gradient.shape[1:])
    if trace.answers_once:  # the only loss; it reads each direction at its last step
        seeds[:, 0] = gradient
    else:
        seeds[targets, torch.arange(len(targets))] = gradient[targets]
    seeds[:, -1] = gradient
    return seeds


def decomposition_of(swept: SweepResult, steps: np.ndarray) -> Decomposition:
    """Read the decomposition from a sweep of `loss_seeds`."""
    pairs = [[_of_chain(chain.total) for chain in row] for row in swept.chains]
    norms, cosines = (np.stack([np.stack([pair[i] for pair in row]) for row in pairs]) for i in (0, 1))
    if swept.entry is None:
        return Decomposition(steps, norms, cosines)
    numbers = to_cpu(path_numbers(swept))
    return Decomposition(steps, norms, cosines, _by_loss(numbers.norms), _by_loss(numbers.shares))


def _by_loss(paths: dict[str, list[list[Tensor]]]) -> dict[str, np.ndarray]:
    """Of a single sequence, (S, K + 1, 1) each: {path: (layers, directions, K, S)}."""
    return {
        path: np.stack([np.stack([values[:, :-1, 0].T.numpy() for values in row]) for row in rows])
        for path, rows in paths.items()
    }


def _of_chain(total: Scaled) -> tuple[np.ndarray, np.ndarray]:
    """Norms, and cosines with the last seed (the total), (K, T) each.

    Cosines do not depend on the exponents, so they are computed from the values, in the model's dtype.
    """
    values, sizes = total.values[:, :, 0], total.size()[:, :, 0]  # (T, K + 1, H), (T, K + 1)
    direction = values[:, -1:] / sizes[:, -1:, None].to(values.dtype)
    along = (values[:, :-1] * direction).sum(-1).double()
    norms = total.norm(sizes[:, :, None])[:, :-1, 0]
    return norms.T.cpu().numpy(), (along / sizes[:, :-1]).T.cpu().numpy()
