"""What a frame shows only where somebody looks: readings of the drawn sequence that cost more than all the rest."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from engine.cells import CELLS
from engine.lens.decomposition import decomposition_of, loss_seeds
from engine.lens.rows import evenly_chosen
from engine.lens.saliency import answer_seeds, chosen_answers, norms_of, occluded
from engine.lens.spectrum import spectrum_of
from engine.lens.sweep import sweep_together
from engine.observation import Observation
from engine.readings import Saliency

DRAWN = 0  # the sequence of the probe that is drawn


def look_closer(look: Observation, details: Collection[str]) -> dict[str, Any]:
    """{name: reading} of the details asked for, as far as this network has them. Changes nothing."""
    found: dict[str, Any] = {}
    if not details:
        return found
    drawn = look.alone(DRAWN)
    if "spectrum" in details and CELLS[look.model.experiment.cell].links:
        found["spectrum"] = spectrum_of(drawn)
    counted = np.flatnonzero(drawn.batch.counted[:, 0])
    losses = evenly_chosen(counted) if "decomposition" in details and len(counted) > 1 else None
    answers = chosen_answers(drawn) if "saliency" in details else None
    return found | _both(drawn, losses, answers)


def _both(drawn: Observation, losses: np.ndarray | None, answers: np.ndarray | None) -> dict[str, Any]:
    """Losses and answers in one sweep. Answers go from the last to the first, so that what has not entered yet always
    stands at the edges."""
    seeds = [] if losses is None else [loss_seeds(drawn, losses)]
    seeds += [] if answers is None else [answer_seeds(drawn, answers[::-1].copy())]
    found: dict[str, Any] = {}
    swept = sweep_together(drawn, seeds)
    if losses is not None:
        found["decomposition"] = decomposition_of(swept[0], losses)
    if answers is not None:
        found["saliency"] = Saliency(answers, norms_of(swept[-1])[::-1], occluded(drawn))
    return found
