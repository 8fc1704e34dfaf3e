"""Stretches trained as tasks of a Ray cluster. No torch in this process."""

from __future__ import annotations

from collections import deque

import ray

from engine.many.stretch import Failed, Stretch, Trained


@ray.remote(num_cpus=1, max_retries=0)
def train_there(stretch: Stretch) -> Trained | Failed:
    """Train a stretch, in a process of whichever machine has a CPU free."""
    from engine.many.threads import use_one_thread  # torch is loaded only there
    from engine.sweeps.worker import outcome_of

    use_one_thread()
    return outcome_of(stretch)


class RayTasks:
    """Tasks of the connected cluster; see `engine.sweeps.place.Place`.

    Ray does not repeat a task whose process or machine dies: it has failed, and the sweep counts how often.

    Args:
        most: so many train at once at most; None: as many as the cluster has CPUs free.
    """

    def __init__(self, most: int | None = None) -> None:
        self._waiting: deque[Stretch] = deque()
        self._submitted: dict[ray.ObjectRef, Stretch] = {}
        self._most = most

    def submit(self, stretch: Stretch) -> None:
        """See `Place`."""
        self._waiting.append(stretch)
        self._start()

    def next(self) -> tuple[Stretch, Trained | Failed]:
        """See `Place`."""
        (ended, *_), _ = ray.wait(list(self._submitted))
        stretch = self._submitted.pop(ended)
        self._start()
        return stretch, _outcome(ended)

    def close(self) -> None:
        """See `Place`."""
        for task in self._submitted:
            ray.cancel(task, force=True)
        self._submitted.clear()
        self._waiting.clear()

    def _start(self) -> None:
        """Give stretches that wait to the cluster."""
        while self._waiting and (self._most is None or len(self._submitted) < self._most):
            stretch = self._waiting.popleft()
            self._submitted[train_there.remote(stretch)] = stretch


def _outcome(task: ray.ObjectRef) -> Trained | Failed:
    """What came of a task that has ended."""
    try:
        outcome: Trained | Failed = ray.get(task)
    except ray.exceptions.RayTaskError as error:
        return Failed(f"{type(error.cause).__name__}: {error.cause}")
    except ray.exceptions.RayError as error:
        return Failed(f"The task that trained it has ended ({type(error).__name__}).")
    return outcome
