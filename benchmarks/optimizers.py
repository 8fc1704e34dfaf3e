"""What an update takes with our optimiser, and with PyTorch's class of it, which computes the same."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import torch
from torch import nn

from benchmarks.measuring import CELLS, Settings, head, in_turns, ratios, row
from engine.experiment import Experiment
from engine.training import Trainer

SHAPES = ((16, 12), (32, 40), (64, 100))
UPDATES = 5  # of a turn


class ClassOfAdam(torch.optim.Adam):
    """PyTorch's class in the place of `engine.training.optimizers.Optimizer`."""

    def __init__(self, experiment: Experiment, weights: Sequence[nn.Parameter]) -> None:
        super().__init__(weights, lr=experiment.learning_rate, weight_decay=experiment.weight_decay, fused=True)

    def apply_settings(self, experiment: Experiment) -> None:
        """Nothing: no setting changes here."""


def tables(settings: Settings) -> None:
    """Print the table."""
    head(
        "An update with PyTorch's class of Adam, and with our optimiser (first digit, B = 32, clip norm 1)",
        "H", "T", "cell", "class, ms", "ours, ms", "times faster", "lowest", "highest",
    )  # fmt: skip
    for hidden_size, seq_len in SHAPES:
        for cell in CELLS:
            e = Experiment(task="first_symbol_recall", cell=cell, hidden_size=hidden_size, seq_len=seq_len,
                           batch_size=32, device=settings.device)  # fmt: skip
            _measure(e, settings)


def _measure(e: Experiment, settings: Settings) -> None:
    theirs, ours = Trainer(e), Trainer(e)
    theirs._optimizer = ClassOfAdam(e, theirs._parameters)  # type: ignore[assignment]
    sides = [lambda trainer=trainer: [trainer.advance() for _ in range(UPDATES)] for trainer in (theirs, ours)]
    of_class, of_ours = in_turns(sides, settings.device, 1 if settings.quick else 4)
    times = (f"{1e3 * statistics.median(turns) / UPDATES:.2f}" for turns in (of_class, of_ours))
    row(e.hidden_size, e.seq_len, e.cell, *times, *(f"{ratio:.2f}" for ratio in ratios(of_class, of_ours)))
