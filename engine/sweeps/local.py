"""Stretches trained by processes of this machine. No torch."""

from __future__ import annotations

import contextlib
from collections import deque

from engine.many.stretch import Failed, Stretch, Trained
from engine.workers.channel import LocalProcess

WORKER = "engine.sweeps.worker"
POLL = 0.02  # seconds to wait for one process before the next one is asked


class Local:
    """So many processes of this machine, started when there is something to do; see `engine.sweeps.place.Place`.

    A process that dies is replaced at the next stretch, and its own has failed.

    Args:
        processes: how many train at once.
        worker: the module that runs in each.
    """

    def __init__(self, processes: int, worker: str = WORKER) -> None:
        self._waiting: deque[Stretch] = deque()
        self._busy: dict[LocalProcess, Stretch] = {}
        self._free: list[LocalProcess] = []
        self._most, self._worker = processes, worker

    def submit(self, stretch: Stretch) -> None:
        """See `Place`."""
        self._waiting.append(stretch)
        self._start()

    def next(self) -> tuple[Stretch, Trained | Failed]:
        """See `Place`."""
        while True:
            for process in list(self._busy):
                try:
                    if not process.poll(POLL):
                        continue
                    outcome: Trained | Failed = process.recv()
                    self._free.append(process)
                except (EOFError, OSError):
                    process.kill()
                    outcome = Failed(f"The process that trained it has ended ({process.wait()}).")
                stretch = self._busy.pop(process)
                self._start()
                return stretch, outcome

    def close(self) -> None:
        """See `Place`."""
        processes = [*self._busy, *self._free]
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()
        self._waiting.clear()
        self._busy.clear()
        self._free.clear()

    def _start(self) -> None:
        """Give stretches that wait to processes that do not."""
        while self._waiting and len(self._busy) < self._most:
            process = self._free.pop() if self._free else LocalProcess(self._worker)
            stretch = self._waiting.popleft()
            self._busy[process] = stretch
            with contextlib.suppress(OSError):  # it is dead, which `next` will see
                process.send(stretch)
