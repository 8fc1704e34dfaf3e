"""A network that was trained elsewhere, on its way to the playground of this tab."""

from __future__ import annotations

from app import tab
from engine.experiment import Experiment

STORED = "_brought_network"


def bring(experiment: Experiment, step: int, checkpoint: bytes) -> None:
    """Keep a network for the next link that opens this experiment at this step.

    Args:
        checkpoint: of a trainer.
    """
    tab.store(STORED, (experiment, step, checkpoint))


def take(experiment: Experiment, step: int) -> bytes:
    """The checkpoint that was brought for this experiment at this step; empty if there is none. It is given once."""
    brought = tab.load(STORED)
    tab.store(STORED, None)
    return brought[2] if brought is not None and brought[:2] == (experiment, step) else b""
