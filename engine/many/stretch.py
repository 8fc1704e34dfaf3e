"""A stretch: the work that goes to whoever trains, and what comes back. Values alone, no torch.

A sweep is cut into stretches of a few seconds, so that rows arrive meanwhile, and whoever dies loses one stretch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.many.measurement import Measurement

Checkpoint = Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False, kw_only=True)
class Stretch:
    """Networks to be trained for a while.

    Args:
        numbers: of their experiments in the sweep.
        experiments: their settings, as of `Experiment.to_dict`.
        beside: True if they are trained side by side; None if whoever trains them is to measure which is faster.
        updates: at which step they are done.
        measure_every: updates between two measurements; step 0 and the last one are measured as well.
        seconds: after so many the stretch ends.
        checkpoint: where they go on; None for the start.
    """

    numbers: tuple[int, ...]
    experiments: tuple[dict[str, Any], ...]
    beside: bool | None
    updates: int
    measure_every: int
    seconds: float
    checkpoint: Checkpoint | None = None


@dataclass(frozen=True, eq=False)
class Trained:
    """What came of a stretch.

    Args:
        measurements: made in this stretch.
        checkpoint: where the networks are now.
        updates: how many they have made, all together; those that a diverged network does not make count as made.
        done: True if there is nothing left to do.
    """

    measurements: tuple[Measurement, ...]
    checkpoint: Checkpoint
    updates: int
    done: bool


@dataclass(frozen=True)
class Failed:
    """Why a stretch could not be trained, in a sentence."""

    reason: str
