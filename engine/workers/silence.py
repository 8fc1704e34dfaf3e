"""When a worker that says nothing is taken to hang. No torch.

Looks are counted, not seconds: where the machine slept, or its clock jumped, one look lasted long and proves nothing.
"""

from __future__ import annotations

LOOK = 1.0  # seconds that a look waits for a message
ASK_AFTER = 2  # looks without a message after which the worker is asked whether it is there
HALTED = 4  # looks without a message and without any processor time: it is stopped, or waits for what never comes
SILENT = 20  # looks without a message, however much it computes: the longest act of a worker takes a few seconds
STARTUP = 120  # looks that it may take to load torch


class Silence:
    """What was seen of one worker since its last message."""

    def __init__(self) -> None:
        self._looks = self._idle_looks = 0
        self._processor_seconds: float | None = None

    def end(self) -> None:
        """It has sent a message."""
        self._looks = self._idle_looks = 0

    def look(self, processor_seconds: float | None) -> None:
        """It has sent nothing during one more look.

        Args:
            processor_seconds: that it has taken so far; None where that is not known.
        """
        works = processor_seconds is None or processor_seconds != self._processor_seconds
        self._looks, self._idle_looks = self._looks + 1, 0 if works else self._idle_looks + 1
        self._processor_seconds = processor_seconds

    @property
    def asks(self) -> bool:
        """True when it is time to ask whether it is there; from then on it owes a message."""
        return self._looks == ASK_AFTER

    def is_too_long(self, ready: bool) -> bool:
        """True if the worker is taken to hang. One that is not ready loads torch, and is waited for longer."""
        if not ready:
            return self._looks >= STARTUP
        return self._looks >= SILENT or self._idle_looks >= HALTED
