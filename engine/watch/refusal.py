"""Why something is not measured."""

from __future__ import annotations


class RefusalError(Exception):
    """Raised inside the lens where a number would not be exact; its message is the reason, a sentence for people.

    It never reaches the watched training: it is kept in `Lens.refusals`.
    """


def refuse_empty(name: str, batch: int) -> None:
    """Refuse a batch without a sequence: there is nothing to measure.

    Raises:
        RefusalError: if `batch` is 0.
    """
    if not batch:
        raise RefusalError(f"{name}: the batch is empty, and of no sequence there is no gradient to measure.")
