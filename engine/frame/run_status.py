"""How a run is doing: its phase, its step, its speed. No torch."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class RunPhase(enum.StrEnum):
    """The phase of a run's life; it is in exactly one of them.

    REFUSED: it stopped by itself before an update whose numbers were not finite; `RunStatus.message` says which.
    STOPPED: nobody needs it any more; it cannot go on.
    """

    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    REFUSED = "refused"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class RunStatus:
    """How a run is doing, besides its frames.

    Args:
        step: the newest step that the worker reported, with or without a frame.
        steps_per_second: optimiser updates, over about the last second of training; 0 while paused.
        share: the share of one core that this run gets, 0 to 1.
        message: what went wrong, in a sentence; empty if nothing did.
        solved_at: the first step at which the held-out record counted as solved, see `HeldOutRecord`.
    """

    phase: RunPhase
    step: int
    steps_per_second: float
    share: float
    message: str = ""
    solved_at: int | None = None
