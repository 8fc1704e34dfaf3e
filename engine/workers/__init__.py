"""Where runs live: worker processes that train, and the pool that hands runs to them.

The pool stays free of torch: only the workers load it.
"""

from engine.workers.measurement import Measurement
from engine.workers.pool import Pool
from engine.workers.protocol import ANSWER, SEQUENCE_TRACE, UPDATE_TRACE, VERIFICATION, WEIGHTS
from engine.workers.run import Run

__all__ = ["ANSWER", "SEQUENCE_TRACE", "UPDATE_TRACE", "VERIFICATION", "WEIGHTS", "Measurement", "Pool", "Run"]
