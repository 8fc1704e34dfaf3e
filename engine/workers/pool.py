"""The pool of worker processes, and which of them has which run. Lives in the server process; no torch.

Workers start one after the other (two imports of torch at once would double the time to the first frame). One that
dies, or is silent for too long, is replaced; its runs go on from their newest checkpoint and say so.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence

from engine.data import Dataset
from engine.data.dataset import dataset_of
from engine.experiment import BRING_FIRST, Changes, Experiment, ExperimentError
from engine.tasks.own import OWN_DATA
from engine.workers.channel import ChannelFactory, LocalProcess
from engine.workers.measurement import Measurement
from engine.workers.protocol import Measure, MeasureLines, MeasureOrder, MeasureRecurrence
from engine.workers.run import Run
from engine.workers.sweep_run import SweepPart, SweepRun
from engine.workers.worker_process import WorkerProcess


class Pool:
    """A fixed number of worker processes. A new run goes to the one with the fewest.

    Args:
        workers: how many.
        start_channel: starts one worker; by default a process of this machine.
    """

    def __init__(self, workers: int = 2, start_channel: ChannelFactory = LocalProcess) -> None:
        self.devices: tuple[str, ...] = ("cpu",)
        self._keys = itertools.count()
        self._lock = threading.Lock()
        self._workers = [WorkerProcess(number, start_channel, self._worker_ready) for number in range(workers)]
        self._start_next()

    def submit(
        self, experiment: Experiment, *, paused: bool = False, speed: float | None = None, changes: Changes = (),
        until: int = 0, checkpoint: bytes = b"", weights: bytes = b"",
    ) -> Run:  # fmt: skip
        """Start a run; its first frame, step 0, comes without being requested.

        Somebody's own data, which the experiment holds, travel beside it.

        Args:
            paused: wait at step 0, or at `until`.
            speed: at most this many updates a second; None for no limit.
            changes: live settings to be changed at these steps.
            until: train to this step first, as fast as possible, whatever `paused` and `speed` say.
            checkpoint: of a trainer at step `until`, to go on from; empty to train from step 0.
            weights: those of step 0 that are not drawn, as `engine.weights` packs them.

        Raises:
            ExperimentError: for own data of which there is only what a recording says.
        """
        _check_data(experiment)
        run = Run(self, next(self._keys), experiment, paused=paused, speed=speed, changes=changes, until=until,
                  weights=weights)  # fmt: skip
        if checkpoint:
            run.bring(until, checkpoint)
        return self._open(run)

    def open_branch(self, parent: Run, step: int, changes: Changes, *, paused: bool, speed: float | None) -> Run:
        """Start a run that shares the past of another one up to a step; `Run.branch` checks the arguments."""
        run = Run(self, next(self._keys), parent.info.experiment, paused=paused, speed=speed, changes=changes,
                  until=step, weights=parent.weights)  # fmt: skip
        run.inherit(parent, step)
        return self._open(run)

    def _open(self, run: Run) -> Run:
        with self._lock:
            self._least_busy().open(run)
        return run

    def measure(self, experiments: Sequence[Experiment], *, repeats: int = 15) -> Measurement:
        """Measure how long one update of each experiment takes, beside the runs of a worker.

        Args:
            repeats: updates that are timed; the result is their median.
        """
        order = Measure(next(self._keys), [experiment.to_dict() for experiment in experiments], repeats)
        found = [dataset_of(experiment) for experiment in experiments]
        return self._measure(order, tuple(dataset for dataset in found if dataset is not None))

    def measure_recurrence(self, shapes: Sequence[tuple[int, int, int]], *, repeats: int = 15) -> Measurement:
        """Measure how long a linear recurrence takes, forward and backward, as a loop and as a scan.

        Args:
            shapes: (T, B, H) each.
            repeats: times that each way is timed; the result is the medians, the loop's and the scan's for each shape.
        """
        return self._measure(MeasureRecurrence(next(self._keys), tuple(shapes), repeats))

    def measure_lines(self, experiments: Sequence[Experiment], gains: Sequence[float]) -> Measurement:
        """Measure where theory draws lines across gains for these networks; see `MeasureLines` for the result."""
        return self._measure(MeasureLines(next(self._keys), tuple(e.to_dict() for e in experiments), tuple(gains)))

    def sweep(self, experiments: Sequence[Experiment], updates: int, measure_every: int) -> SweepRun:
        """Start to train many networks, on all workers together; see `SweepRun`.

        Raises:
            ExperimentError: for own data of which there is only what a recording says.
        """
        for experiment in experiments:
            _check_data(experiment)
        run = SweepRun(experiments, updates, measure_every)
        with self._lock:
            workers = self._by_load()
            for worker, stretches in zip(workers, run.shares(len(workers)), strict=False):
                part = SweepPart(run, next(self._keys), stretches, run.datasets)
                run.parts.append(part)
                worker.open(part)
        return run

    def _measure(self, order: MeasureOrder, datasets: tuple[Dataset, ...] = ()) -> Measurement:
        measurement = Measurement(order, datasets)
        with self._lock:
            self._least_busy().measure(measurement)
        return measurement

    def _least_busy(self) -> WorkerProcess:
        return self._by_load()[0]

    def _by_load(self) -> list[WorkerProcess]:
        """The workers that have been started, the least busy first."""
        started = [worker for worker in self._workers if worker.channel is not None]
        return sorted(started, key=lambda worker: len(worker.hosted) + len(worker.measurements))

    @property
    def size(self) -> int:
        """The number of workers, those included that have still to be started."""
        return len(self._workers)

    @property
    def ready(self) -> int:
        """The number of workers that can train now."""
        return sum(worker.ready.is_set() for worker in self._workers)

    @property
    def pids(self) -> list[int]:
        """The process ids of the workers that run on this machine."""
        return [worker.channel.pid for worker in self._workers if isinstance(worker.channel, LocalProcess)]

    def shutdown(self) -> None:
        """End all workers and wait for them."""
        for worker in self._workers:
            worker.stop()
        for worker in self._workers:
            worker.wait(10)

    def _worker_ready(self, devices: tuple[str, ...]) -> None:
        self.devices = devices
        self._start_next()

    def _start_next(self) -> None:
        """Start the first worker that has not been started, once all before it are ready."""
        with self._lock:
            for worker in self._workers:
                if worker.channel is None:
                    worker.start()
                    return
                if not worker.ready.is_set():
                    return


def _check_data(experiment: Experiment) -> None:
    """Raise ExperimentError for own data of which there is only what a recording says."""
    if experiment.task == OWN_DATA and dataset_of(experiment) is None:
        raise ExperimentError("task_options", got=experiment.task_options, accepts=BRING_FIRST)
