"""A network that was trained elsewhere, on its way to the playground of this tab."""

from __future__ import annotations

from typing import NamedTuple

from app import tab
from engine.experiment import Experiment
from engine.weights import StartWeights

STORED, FROM_MAP = "_brought_network", "_from_map"


class Brought(NamedTuple):
    """What a run goes on from, a trainer's checkpoint, or starts from, weights of a file; without both nothing."""

    checkpoint: bytes = b""
    weights: StartWeights | None = None


def remember(experiment: Experiment) -> None:
    """Remember that this network was opened from a map."""
    tab.store(FROM_MAP, experiment)


def is_from_map(experiment: Experiment) -> bool:
    """True if the network of these settings was opened from a map of this tab."""
    return tab.load(FROM_MAP) == experiment


def bring(experiment: Experiment, step: int, brought: Brought) -> None:
    """Keep a network for the next link that opens this experiment at this step."""
    tab.store(STORED, (experiment, step, brought))


def take(experiment: Experiment, step: int) -> Brought:
    """What was brought for this experiment at this step. It is given once."""
    kept = tab.load(STORED)
    tab.store(STORED, None)
    return kept[2] if kept is not None and kept[:2] == (experiment, step) else Brought()
