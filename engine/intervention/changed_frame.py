"""A frame of a network with interventions, beside the untouched one. No torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.frame import Frame, RunInfo
from engine.frame.frozen import FrozenArrays
from engine.intervention.intervention import Intervention


@dataclass(frozen=True, eq=False)
class ChangedFrame(FrozenArrays):
    """Two frames of the drawn sequence alone at the same weights: with interventions and without.

    As in a `TypedFrame`, medians and quartiles are this sequence's own; training losses, held-out record and step are
    the run's. Both frames have the same targets, those of the sequence as it was before any input was set.

    Args:
        interventions: what was changed.
        frame: of the changed network. Gates and states are the held ones, dL/dh_t and dL/dc_t are taken at them. The
            terms of a held gate are still computed, but decide nothing.
        untouched: of the network as it is.
        targets_known: (T,) bool, as in a `TypedFrame`.
    """

    interventions: tuple[Intervention, ...]
    frame: Frame
    untouched: Frame
    targets_known: np.ndarray

    def info(self, of_run: RunInfo) -> RunInfo:
        """What a figure of either frame needs to know: a typed answer can be longer or shorter than the drawn one."""
        return of_run.of_sequence(self.frame.valid, self.frame.counted)
