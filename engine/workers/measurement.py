"""One measurement of times as the server process sees it. No torch."""

from __future__ import annotations

from engine.data import Dataset
from engine.workers.protocol import Measured, MeasureOrder, WorkerHandle


class Measurement:
    """How long something takes in a worker: updates of networks, or a recurrence. All methods return at once.

    `progress` goes from 0 to 1. `result` is None until done, then the medians in seconds, in the order's order.
    `error` says in a sentence why there will be no result; empty if nothing went wrong.

    Args:
        datasets: somebody's own data that it needs.
    """

    def __init__(self, order: MeasureOrder, datasets: tuple[Dataset, ...] = ()) -> None:
        self.order, self.key, self.repeats = order, order.key, order.repeats
        self.datasets = datasets
        self.progress = 0.0
        self.result: tuple[float, ...] | None = None
        self.error = ""
        self.stopped = False
        self._worker: WorkerHandle | None = None

    @property
    def running(self) -> bool:
        """True while a result can still come."""
        return self.result is None and not self.error and not self.stopped

    def stop(self) -> None:
        """Stop measuring; a result that has arrived stays."""
        if self.running and self._worker is not None:
            self.stopped = True
            self._worker.close(self.key)

    # For the worker process that it is given to.

    def attach(self, worker: WorkerHandle) -> None:
        """From now on this worker takes the measurement."""
        self._worker = worker

    def receive(self, message: Measured) -> None:
        """Note what the worker reports."""
        self.progress, self.result, self.error = message.done / message.total, message.medians, message.message

    def fail(self, reason: str) -> None:
        """End it without a result."""
        self.error = reason
