"""Why something is not measured."""

from __future__ import annotations


class RefusalError(Exception):
    """Raised inside the lens where a number would not be exact; its message is the reason, a sentence for people.

    It never reaches the watched training: it is kept in `Lens.refusals`.
    """
