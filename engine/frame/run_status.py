"""How a run is doing: its phase, its step, its speed. No torch."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class RunPhase(enum.StrEnum):
    """Where a run is; always exactly one."""

    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class RunStatus:
    """How a run is doing, besides its frames.

    Args:
        step: the newest step that the worker reported, drawn or not.
        steps_per_second: over the last second or so of training; 0 while paused.
        share: the part of one core that this run gets, 0 to 1.
        message: what went wrong, in a sentence; empty where nothing did.
        solved_at: the first step at which the mean loss of recent training was below a tenth of the baseline.
    """

    phase: RunPhase
    step: int
    steps_per_second: float
    share: float
    message: str = ""
    solved_at: int | None = None
