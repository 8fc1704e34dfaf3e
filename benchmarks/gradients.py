"""Total gradients at every step: the lens against `retain_grad` on every state of an unrolled loop.

Both start from the batch: forward, then backward. If their numbers differ, the benchmark ends with an error.
"""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.measuring import CELLS, Settings, head, in_turns, milliseconds, ratios, row
from benchmarks.unrolled import cell_of, unroll
from engine.experiment import Experiment
from engine.lens import gradient_flow
from engine.model import build
from engine.tasks import sample

TOLERANCE = 1e-3  # of a step's own gradient: both are float32, and multiply in another order


def tables(settings: Settings) -> None:
    """Print the table."""
    head(
        "The gradient at every step: retain_grad on an unrolled loop, and the lens (adding, T = 100, B = 32, H = 64)",
        "cell", "unrolled, ms", "lens, ms", "times faster", "lowest", "highest",
    )  # fmt: skip
    for cell in CELLS:
        e = Experiment(task="adding", cell=cell, seq_len=100, batch_size=32, hidden_size=64, device=settings.device)
        model, batch = build(e), sample(e, e.batch_size, 1)
        alone = cell_of(model)

        def retained(model=model, alone=alone, batch=batch) -> np.ndarray:
            hidden, losses = unroll(model, alone, batch)
            for state in hidden:
                state.retain_grad()
            (losses.sum() / len(batch.lengths)).backward()
            return torch.stack([state.grad for state in hidden]).double().cpu().numpy()

        def swept(model=model, batch=batch) -> np.ndarray:
            return gradient_flow(model, batch).grad_hidden[0, 0]

        expected, actual = retained(), swept()
        size = np.linalg.norm(expected, axis=(1, 2))
        assert (np.linalg.norm(actual - expected, axis=(1, 2)) <= TOLERANCE * size).all(), f"{cell}: two answers"
        theirs, ours = in_turns([retained, swept], settings.device, 1 if settings.quick else 4)
        row(cell, milliseconds(theirs), milliseconds(ours), *(f"{ratio:.1f}" for ratio in ratios(theirs, ours)))
