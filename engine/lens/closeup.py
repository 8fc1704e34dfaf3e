"""What a frame shows only where somebody looks: readings of the drawn sequence that cost more than all the rest."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from engine.lens.decomposition import decompose
from engine.observation import Observation

DRAWN = 0  # the sequence of the probe that is drawn
MOST_LOSSES = 64  # a picture has no more rows than that


def look_closer(look: Observation, details: Collection[str]) -> dict[str, Any]:
    """{name: reading} of the details asked for, as far as this network has them. Changes nothing."""
    found: dict[str, Any] = {}
    if not details:
        return found
    drawn = look.alone(DRAWN)
    if "decomposition" in details and drawn.batch.counted.sum() > 1:
        found["decomposition"] = decompose(drawn, _some(np.flatnonzero(drawn.batch.counted[:, 0])))
    return found


def _some(steps: np.ndarray) -> np.ndarray:
    """All of them, or MOST_LOSSES evenly chosen ones, first and last always."""
    return steps[np.unique(np.linspace(0, len(steps) - 1, min(len(steps), MOST_LOSSES)).round().astype(int))]
