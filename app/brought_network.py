"""A network that was trained elsewhere, on its way to the playground of this tab."""

from __future__ import annotations

from app import tab
from engine.experiment import Experiment

STORED, FROM_MAP = "_brought_network", "_from_map"


def bring(experiment: Experiment, step: int, checkpoint: bytes) -> None:
    """Keep a network for the next link that opens this experiment at this step.

    Args:
        checkpoint: of a trainer.
    """
    tab.store(STORED, (experiment, step, checkpoint))


def remember(experiment: Experiment) -> None:
    """Remember that this network was opened from a map."""
    tab.store(FROM_MAP, experiment)


def is_from_map(experiment: Experiment) -> bool:
    """True if the network of these settings was opened from a map of this tab."""
    return tab.load(FROM_MAP) == experiment


def take(experiment: Experiment, step: int) -> bytes:
    """The checkpoint that was brought for this experiment at this step; empty if there is none. It is given once."""
    brought = tab.load(STORED)
    tab.store(STORED, None)
    return brought[2] if brought is not None and brought[:2] == (experiment, step) else b""
