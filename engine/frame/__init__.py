"""The values that cross from a trainer to everything else. No torch."""

from engine.frame.chain import Chain
from engine.frame.frame import Frame
from engine.frame.look import Diagnosis, Look
from engine.frame.run_info import RunInfo
from engine.frame.run_status import RunPhase, RunStatus

__all__ = ["Chain", "Diagnosis", "Frame", "Look", "RunInfo", "RunPhase", "RunStatus"]
