"""||dL_k/dh_t|| for all k and t of one sequence: the lens against one backward pass of autograd for every loss.

Both start from the batch and end with the (T, T) norms. If they differ, the benchmark ends with an error.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from benchmarks.measuring import CELLS, Settings, head, in_turns, milliseconds, ratios, row
from benchmarks.unrolled import cell_of, unroll
from engine.experiment import Experiment
from engine.lens import loss_decomposition
from engine.model import build
from engine.tasks import sample

TOLERANCE = 1e-3  # of each norm: both are float32, and multiply in another order
MIN_NORM = 1e-25  # smaller norms have lost precision in autograd's float32


def tables(settings: Settings) -> None:
    """Print the table."""
    head(
        "Loss by loss, one sequence (sine, many to many, T = 100, H = 64): T passes of autograd, all in one, the lens",
        "cell", "autograd, ms", "batched, ms", "lens, ms", "times faster", "lowest", "highest", "than batched",
    )  # fmt: skip
    for cell in CELLS:
        e = Experiment(task="sine", rnn_type="many_to_many", cell=cell, seq_len=100, hidden_size=64,
                       device=settings.device)  # fmt: skip
        model, batch = build(e), sample(e, 1, 1)
        alone, steps = cell_of(model), len(batch.mask)

        def one_by_one(model=model, alone=alone, batch=batch) -> np.ndarray:
            hidden, losses = unroll(model, alone, batch)
            norms = np.zeros((len(hidden), len(hidden)))
            for k in range(len(hidden)):  # a loss does not depend on later states
                gradients = torch.autograd.grad(losses[k, 0], hidden[: k + 1], retain_graph=True)
                norms[k, : k + 1] = _norms(torch.stack(gradients))[:, 0]
            return norms

        def batched(model=model, alone=alone, batch=batch, steps=steps) -> np.ndarray:
            hidden, losses = unroll(model, alone, batch)
            seeds = torch.eye(steps, device=losses.device)
            gradients = torch.autograd.grad(losses[:, 0], hidden, seeds, is_grads_batched=True)
            return _norms(torch.stack(gradients, dim=1))[:, :, 0]

        def swept(model=model, batch=batch) -> np.ndarray:
            return loss_decomposition(model, batch).norms[0, 0]

        sides = [one_by_one, swept, batched]
        expected = one_by_one()
        for side in sides[1:]:
            assert (np.abs(side() - expected) <= TOLERANCE * expected + MIN_NORM).all(), f"{cell}: two answers"
        theirs, ours, together = in_turns(sides, settings.device, 2 if settings.quick else 5)
        times = (f"{ratio:.1f}" for ratio in ratios(theirs, ours))
        row(cell, *(milliseconds(turns) for turns in (theirs, together, ours)), *times,
            f"{ratios(together, ours)[0]:.1f}")  # fmt: skip


def _norms(values: Tensor) -> np.ndarray:
    """Norms over the units, float64, because in float32 the square of 1e-25 would be 0."""
    return torch.linalg.vector_norm(values, dim=-1, dtype=torch.float64).cpu().numpy()
