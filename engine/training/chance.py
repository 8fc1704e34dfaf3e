"""The random numbers of an update besides its batch: those of dropout, noise and teacher forcing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from engine.experiment import AUTOREGRESSIVE_TYPES, Experiment
from engine.training.gpu import reproducible_dropout


@contextmanager
def chance_of(experiment: Experiment, step: int) -> Iterator[None]:
    """Let torch's global generator draw what the update after `step` others draws; afterwards it is as it was."""
    e = experiment
    is_fed = e.rnn_type in AUTOREGRESSIVE_TYPES and e.teacher_forcing < 1
    drops = e.dropout or e.head_dropout or e.input_dropout or e.recurrent_dropout
    if not (drops or e.noise or is_fed):
        yield
        return
    with torch.random.fork_rng(devices=[]), reproducible_dropout(e):
        torch.manual_seed(e.seed * 1_000_003 + step)
        yield
