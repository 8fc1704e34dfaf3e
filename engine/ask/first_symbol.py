"""What sequences begin with, to compare a network's first answer with. No torch."""

from __future__ import annotations

import numpy as np

from engine.experiment import Experiment
from engine.tasks import held_out, task_of


def first_symbol_shares(experiment: Experiment) -> np.ndarray:
    """(output_size,) the share of the held-out sequences that begin with each symbol.

    For tasks whose input at t = 0 is the zero vector: the first symbol is then the input at t = 1.
    """
    begins = held_out(experiment).inputs[1]
    return np.bincount(begins, minlength=task_of(experiment).output_size) / len(begins)
