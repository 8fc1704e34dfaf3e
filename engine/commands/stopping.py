"""Ctrl-C as a request: it is heard between two updates, so that what there is by then is whole."""

from __future__ import annotations

import contextlib
import signal
from types import FrameType
from typing import Any


class StopRequest:
    """While it is open, the first Ctrl-C sets `is_made`; the second one interrupts at once, as usual."""

    def __init__(self) -> None:
        self.is_made = False
        self._before: Any = None

    def __enter__(self) -> StopRequest:
        with contextlib.suppress(ValueError):  # only the main thread can hear it
            self._before = signal.signal(signal.SIGINT, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.is_made = True
        self._restore()

    def _restore(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None
