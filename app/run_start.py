"""How a run starts."""

from __future__ import annotations

from dataclasses import dataclass

from engine.experiment import Changes, Experiment
from engine.tasks import OWN_DATA


@dataclass(frozen=True)
class Start:
    """How a run starts.

    Args:
        experiment: the settings of step 0.
        changes: live changes and their steps.
        until: train to this step first, at full speed.
        paused: pause there.
        checkpoint: of a trainer at step `until`, to go on from; empty to train from step 0.
    """

    experiment: Experiment
    changes: Changes = ()
    until: int = 0
    paused: bool = False
    checkpoint: bytes = b""

    @property
    def can_be_shared(self) -> bool:
        """True if others who start the same may look at one run with whoever starts it."""
        return not self.until and not self.checkpoint and self.experiment.task != OWN_DATA
