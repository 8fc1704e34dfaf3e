"""Loss by loss: one sweep of one seed per loss step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from engine.lens.flow import loss_gradient
from engine.lens.sweep import sweep
from engine.model import RecurrentNetwork
from engine.observation import Observation, observe
from engine.readings import Decomposition
from engine.tasks import Batch

TOGETHER = 128  # seeds in one sweep, so that a thousand losses fit into memory


def loss_decomposition(model: RecurrentNetwork, batch: Batch, sequence: int = 0) -> Decomposition:
    """||dL_k/dh_t|| for every loss step k and state t of one sequence, and its cosine with the total dL/dh_t.

    All T steps stand in the result; steps without a loss have norm 0. L is this sequence's own, l_b.
    Source: the "itemized gradients" of RNNbow (Cashman et al., 2017); the cosines are ours.
    """
    look = observe(model, batch).alone(sequence)
    steps = np.flatnonzero(look.batch.counted[:, 0])
    some = decompose(look, steps)
    total = len(look.batch.valid)
    norms = np.zeros((*some.norms.shape[:2], total, total))
    cosines = np.full_like(norms, np.nan)
    norms[:, :, steps], cosines[:, :, steps] = some.norms, some.cosines
    return Decomposition(np.arange(total), norms, cosines)


@torch.no_grad()
def decompose(look: Observation, steps: Sequence[int] | np.ndarray) -> Decomposition:
    """Of an observation of one sequence, and of the counted steps given (positions on the whole time axis)."""
    each = loss_gradient(look)  # (T, 1, directions * H), at k that of loss k
    steps = np.asarray(steps, int)
    whole = sweep(look, each[:, None]).chains
    totals = [[chain.total.values[:, 0, 0].double() for chain in row] for row in whole]
    totals = [[total / total.norm(dim=-1, keepdim=True) for total in row] for row in totals]
    norms, cosines = [], []
    for start in range(0, len(steps), TOGETHER):
        some = torch.as_tensor(steps[start : start + TOGETHER] - look.batch.source_steps)
        seeds = each.new_zeros(len(each), len(some), *each.shape[1:])
        if look.model.experiment.rnn_type == "many_to_one":  # its one loss enters each direction where that one ends
            seeds[:, 0] = each
        else:
            seeds[some, torch.arange(len(some))] = each[some]
        rows = sweep(look, seeds).chains
        norms.append(np.stack([np.stack([_norms(chain.total.norm()) for chain in row]) for row in rows]))
        pairs = zip(rows, totals, strict=True)
        cosines.append(np.stack([
            np.stack([_cosines(chain.total.values, total) for chain, total in zip(*pair, strict=True)])
            for pair in pairs
        ]))  # fmt: skip
    return Decomposition(steps, np.concatenate(norms, 2), np.concatenate(cosines, 2))


def _norms(norms: torch.Tensor) -> np.ndarray:
    """(T, K, 1) to (K, T)."""
    return norms[:, :, 0].T.cpu().numpy()


def _cosines(values: torch.Tensor, total: torch.Tensor) -> np.ndarray:
    """(K, T): values (T, K, 1, H) against directions (T, H). A row's power of two does not matter here."""
    wide = values[:, :, 0].double()
    return ((wide @ total[:, :, None])[..., 0] / wide.norm(dim=-1)).T.cpu().numpy()
