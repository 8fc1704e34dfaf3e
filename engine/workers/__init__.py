"""Runs are trained in worker processes; the pool in the server process distributes them.

Importing this package does not load torch: only the workers do.
"""

from engine.workers.listeners import Listeners
from engine.workers.measurement import Measurement
from engine.workers.pool import Pool
from engine.workers.protocol import (
    ANSWER,
    CHANGED_FRAME,
    FORECAST,
    SEQUENCE_TRACE,
    TYPED_FRAME,
    UPDATE_TRACE,
    VERIFICATION,
    WEIGHTS,
)
from engine.workers.run import Run
from engine.workers.sweep_run import SweepRun

__all__ = [
    "ANSWER",
    "CHANGED_FRAME",
    "FORECAST",
    "SEQUENCE_TRACE",
    "TYPED_FRAME",
    "UPDATE_TRACE",
    "VERIFICATION",
    "WEIGHTS",
    "Listeners",
    "Measurement",
    "Pool",
    "Run",
    "SweepRun",
]
