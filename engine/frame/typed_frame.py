"""A frame of the drawn sequence with symbols that somebody typed. No torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.frame.frame import Frame
from engine.frame.frozen import FrozenArrays
from engine.frame.run_info import RunInfo


class TypedSentenceError(ValueError):
    """A change of the drawn sequence that cannot be made; the message is for the user."""


@dataclass(frozen=True, eq=False)
class TypedFrame(FrozenArrays):
    """A frame of a batch that holds the drawn sequence alone, with some of its symbols changed.

    Its medians and quartiles are this sequence's own, and so are `probe_loss` and `metric`; `sequence_loss` is (1,).
    Training losses, held-out record and step are the run's.

    Args:
        targets_known: (T,) bool, True at steps whose target is the right answer: the task's rule gives it, or nothing
            was changed. At the other counted steps the target is the network's own most probable answer, and the loss
            says only how sure of it the network is.
    """

    frame: Frame
    targets_known: np.ndarray

    def info(self, of_run: RunInfo) -> RunInfo:
        """What a figure of this frame needs to know: an answer can be longer or shorter than the drawn one."""
        return of_run.of_sequence(self.frame.valid, self.frame.counted)
