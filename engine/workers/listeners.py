"""Tells whoever waits that there may be something new, so that nobody has to look again and again. No torch."""

from __future__ import annotations

from collections.abc import Callable

Listener = Callable[[], None]
"""Called from any thread; it returns at once and raises nothing."""


class Listeners:
    """The functions to call when there may be something new."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()  # replaced, never changed: other threads go through it meanwhile

    def add(self, listener: Listener) -> None:
        """Call this function from now on."""
        self._listeners = (*self._listeners, listener)

    def remove(self, listener: Listener) -> None:
        """Call it no longer."""
        self._listeners = tuple(other for other in self._listeners if other != listener)

    def tell(self) -> None:
        """There may be something new."""
        for listener in self._listeners:
            listener()
