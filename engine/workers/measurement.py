"""One measurement as everybody but its worker sees it. No torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.experiment import Experiment
from engine.workers.protocol import Measure, Measured, Order

if TYPE_CHECKING:
    from engine.workers.process import Process


class Measurement:
    """How long one update of each of several experiments takes. All methods return at once.

    `progress` goes from 0 to 1. `result` is None until done, then each experiment's median in seconds, in their order.
    `error` says in a sentence why there will be no result; it is empty where nothing went wrong.
    """

    def __init__(self, key: int, experiments: tuple[Experiment, ...], repeats: int) -> None:
        self.key, self.experiments, self.repeats = key, experiments, repeats
        self.progress = 0.0
        self.result: tuple[float, ...] | None = None
        self.error = ""
        self.stopped = False
        self._worker: Process | None = None

    @property
    def running(self) -> bool:
        """True while a result can still come."""
        return self.result is None and not self.error and not self.stopped

    def stop(self) -> None:
        """Give it up; a result that is there stays."""
        if self.running and self._worker is not None:
            self.stopped = True
            self._worker.measurements.pop(self.key, None)
            self._worker.send(Order(self.key, "close"))

    def _order(self) -> Measure:
        """Everything that a worker needs to take this measurement on."""
        return Measure(self.key, [experiment.to_dict() for experiment in self.experiments], self.repeats)

    def _hear(self, said: Measured) -> None:
        self.progress, self.result, self.error = said.done / said.total, said.medians, said.message
