"""A network that was trained elsewhere, on its way to the playground of this tab."""

from __future__ import annotations

from typing import NamedTuple

from app import tab
from engine.experiment import Experiment
from engine.weights import StartWeights

STORED = "_brought_network"


class Brought(NamedTuple):
    """What a run goes on from, a trainer's checkpoint, or starts from, weights of a file; without both nothing."""

    checkpoint: bytes = b""
    weights: StartWeights | None = None


def bring(experiment: Experiment, step: int, brought: Brought) -> None:
    """Keep a network for the next link that opens this experiment at this step."""
    tab.store(STORED, (experiment, step, brought))


def take(experiment: Experiment, step: int) -> Brought:
    """What was brought for this experiment at this step. It is given once."""
    kept = tab.load(STORED)
    tab.store(STORED, None)
    return kept[2] if kept is not None and kept[:2] == (experiment, step) else Brought()
