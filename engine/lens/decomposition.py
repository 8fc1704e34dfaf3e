"""Loss by loss: one sweep of one seed per loss step."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine.frame.readings import Decomposition
from engine.lens.forward_trace import ForwardTrace, trace_forward
from engine.lens.gradient_flow import loss_gradient
from engine.lens.scaled import Scaled
from engine.lens.subsample import evenly_spaced, in_chunks
from engine.lens.sweep import SweepResult, sweep
from engine.model import RecurrentNetwork
from engine.tasks import Batch


def loss_decomposition(model: RecurrentNetwork, batch: Batch, sequence: int = 0) -> Decomposition:
    """||dL_k/dh_t|| for every loss step k and state t of one sequence, and its cosine with the total dL/dh_t.

    All T steps stand in the result; steps without a loss have norm 0. L is this sequence's own, l_b.
    Source: the "itemized gradients" of RNNbow (Cashman et al., 2017); the cosines are ours.
    """
    trace = trace_forward(model, batch).single_sequence(sequence)
    steps = np.flatnonzero(trace.batch.counted[:, 0])
    some = decompose(trace, steps)
    total = len(trace.batch.valid)
    norms = np.zeros((*some.norms.shape[:2], total, total))
    cosines = np.full_like(norms, np.nan)
    norms[:, :, steps], cosines[:, :, steps] = some.norms, some.cosines
    return Decomposition(np.arange(total), norms, cosines)


@torch.no_grad()
def decompose(trace: ForwardTrace, steps: np.ndarray) -> Decomposition:
    """Of the forward trace of one sequence, and of the counted steps given (positions on the whole time axis)."""
    parts = [decomposition_of(sweep(trace, loss_seeds(trace, some)), some) for some in in_chunks(steps)]
    norms, cosines = [part.norms for part in parts], [part.cosines for part in parts]
    return Decomposition(steps, np.concatenate(norms, 2), np.concatenate(cosines, 2))


def seeds(trace: ForwardTrace) -> Tensor | None:
    """Of a frame: the gradients of the losses that it shows; None where a sequence has one loss alone."""
    steps = _shown_losses(trace)
    return loss_seeds(trace, steps) if len(steps) > 1 else None


def read(trace: ForwardTrace, swept: SweepResult | None) -> Decomposition | None:
    """Of a frame, from a sweep of its `seeds`."""
    return None if swept is None else decomposition_of(swept, _shown_losses(trace))


def _shown_losses(trace: ForwardTrace) -> np.ndarray:
    """(K,) the positions of the losses that a frame shows."""
    return evenly_spaced(np.flatnonzero(trace.batch.counted[:, 0]))


def loss_seeds(trace: ForwardTrace, steps: np.ndarray) -> Tensor:
    """(T, K + 1, 1, directions * H): the gradient of each of these losses where it enters, and of all losses."""
    gradient = loss_gradient(trace)  # (T, 1, directions * H), at k that of loss k
    some = torch.as_tensor(steps - trace.batch.source_steps)
    seeds = gradient.new_zeros(len(gradient), len(some) + 1, *gradient.shape[1:])
    if trace.model.experiment.rnn_type == "many_to_one":  # its one loss enters each direction where that one ends
        seeds[:, 0] = gradient
    else:
        seeds[some, torch.arange(len(some))] = gradient[some]
    seeds[:, -1] = gradient
    return seeds


def decomposition_of(swept: SweepResult, steps: np.ndarray) -> Decomposition:
    """From a sweep of the `loss_seeds` of these steps."""
    pairs = [[_of_chain(chain.total) for chain in row] for row in swept.chains]
    norms, cosines = (np.stack([np.stack([pair[at] for pair in row]) for row in pairs]) for at in (0, 1))
    return Decomposition(steps, norms, cosines)


def _of_chain(total: Scaled) -> tuple[np.ndarray, np.ndarray]:
    """(K, T) each: norms, and cosines with the last seed, the total. A row's power of two does not matter to those.

    Cosines are multiplied out in the model's own type, with a total of length 1.
    """
    values, sizes = total.values[:, :, 0], total.size()[:, :, 0]  # (T, K + 1, H), (T, K + 1)
    direction = values[:, -1:] / sizes[:, -1:, None].to(values.dtype)
    along = (values[:, :-1] * direction).sum(-1).double()
    norms = total.norm(sizes[:, :, None])[:, :-1, 0]
    return norms.T.cpu().numpy(), (along / sizes[:, :-1]).T.cpu().numpy()
