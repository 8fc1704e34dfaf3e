"""The values that cross from a trainer to everything else. No torch."""

from engine.frame.frame import Diagnosis, Frame, RunInfo, RunPhase, RunStatus

__all__ = ["Diagnosis", "Frame", "RunInfo", "RunPhase", "RunStatus"]
