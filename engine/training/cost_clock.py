"""The clock that says what a frame costs."""

from __future__ import annotations

import time
from collections.abc import Callable


def cost_clock(device: str) -> Callable[[], float]:
    """Seconds, of which only differences mean something.

    On a CPU the processor time of this thread: what other programs take meanwhile is not the frame's cost. On a GPU the
    wall clock, for there a thread may sleep while its device works.

    Args:
        device: "cpu" or "cuda".
    """
    return time.thread_time if device == "cpu" else time.perf_counter
