"""The random numbers of an update besides its batch: those of dropout, noise and teacher forcing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from engine.experiment import Experiment
from engine.training.gpu import reproducible_dropout


@contextmanager
def chance_of(experiment: Experiment, step: int) -> Iterator[None]:
    """Let torch's global generator draw what the update after `step` others draws; afterwards it is as it was."""
    with torch.random.fork_rng(devices=[]), reproducible_dropout(experiment):
        torch.manual_seed(experiment.seed * 1_000_003 + step)
        yield
