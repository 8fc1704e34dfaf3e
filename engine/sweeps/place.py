"""Where stretches are trained: what a sweep asks of it. No torch."""

from __future__ import annotations

from typing import Protocol

from engine.many.stretch import Failed, Stretch, Trained


class Place(Protocol):
    """Somewhere stretches are trained, several at once: processes of this machine, or those of others."""

    def submit(self, stretch: Stretch) -> None:
        """Take a stretch, and return at once; it is trained when its turn comes."""

    def next(self) -> tuple[Stretch, Trained | Failed]:
        """Wait for the next stretch that has ended, in whichever order they end."""

    def close(self) -> None:
        """End everything that is still being trained."""
