"""Whether a run, or a part of a sweep, is to blame for the deaths of its workers. No torch."""

from __future__ import annotations


class Crashes:
    """The deaths of workers while they worked on one thing. It is to blame if one comes no further than the one before.

    Workers also die for reasons of others: memory that another program wants, a person who ends them. What gets past
    the place where its worker died goes on, however often that happens.
    """

    def __init__(self) -> None:
        self._reached: float | None = None  # where it may have been at the furthest when a worker died

    def happened(self, place: float, reached: float) -> bool:
        """A worker died. True if this is to blame.

        Args:
            place: how far it had come, as last reported.
            reached: how far it may have come since that report.
        """
        again = self._reached is not None and place <= self._reached
        self._reached = max(reached, self._reached or 0.0)
        return again
