"""How a run starts."""

from __future__ import annotations

from dataclasses import dataclass

from engine.experiment import Changes, Experiment
from engine.tasks import OWN_DATA
from engine.weights import StartWeights


@dataclass(frozen=True)
class Start:
    """How a run starts.

    Args:
        experiment: the settings of step 0.
        changes: live changes and their steps.
        until: train to this step first, at full speed.
        paused: pause there.
        checkpoint: of a trainer at step `until`, to go on from; empty to train from step 0.
        weights: of a file, from which it starts at step 0; None if all are drawn.
    """

    experiment: Experiment
    changes: Changes = ()
    until: int = 0
    paused: bool = False
    checkpoint: bytes = b""
    weights: StartWeights | None = None

    @property
    def can_be_shared(self) -> bool:
        """True if others who start the same may look at one run with whoever starts it."""
        is_drawn = not self.checkpoint and self.weights is None
        return is_drawn and not self.until and self.experiment.task != OWN_DATA
