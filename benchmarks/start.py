"""What a worker takes until it is ready, and until its first frame: with our optimiser, and with PyTorch's class.

Every turn starts a process for each. `python -m benchmarks.start SIDE` is such a process: a worker that opens one run,
says what it has taken so far, and ends.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measuring import Settings, head, ratios, row
from engine.experiment import Experiment
from engine.workers.protocol import Open, PoolMessage, Ready, Report, WorkerMessage

SIDES = ("class", "ours")
MEASURED = ("ready, s", "first frame, s", "memory, MiB")


class OneFrame:
    """The worker's connection to a pool that opens one run and goes away with its first frame."""

    def __init__(self) -> None:
        self.seconds: list[float] = []  # processor time of this process: when ready, and when the frame was sent
        self._orders: list[PoolMessage] = [Open(0, Experiment().to_dict(), paused=True, speed=None, checkpoint=None)]

    def send(self, message: WorkerMessage) -> None:
        """Look what time it is; the connection breaks with a frame."""
        has_frame = isinstance(message, Report) and message.frame is not None
        if isinstance(message, Ready) or has_frame:
            self.seconds.append(time.process_time())
        if has_frame:
            raise BrokenPipeError

    def poll(self, timeout: float | None) -> bool:
        """True until the run is opened."""
        return bool(self._orders)

    def recv(self) -> PoolMessage:
        """The order to open the run."""
        return self._orders.pop()


def tables(settings: Settings) -> None:
    """Print the table."""
    head(
        "From a new process to a worker's first frame: processor time with PyTorch's class of Adam, and with ours",
        "until", "class", "ours", "times", "lowest", "highest",
    )  # fmt: skip
    turns = [[_started(side) for side in SIDES] for _ in range(3 if settings.quick else 7)]
    for number, name in enumerate(MEASURED):
        of_class, ours = ([turn[side][number] for turn in turns] for side in range(len(SIDES)))
        digits = 0 if name.startswith("memory") else 2
        middles = (f"{statistics.median(values):.{digits}f}" for values in (of_class, ours))
        row(name, *middles, *(f"{ratio:.2f}" for ratio in ratios(of_class, ours)))


def _started(side: str) -> list[float]:
    """Start a worker and return what is MEASURED of it."""
    command = [sys.executable, "-m", "benchmarks.start", side]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def _work(side: str) -> None:
    """Be the worker, and print what is MEASURED."""
    import engine.training.trainer
    from engine.workers.worker import main

    if side == "class":
        from benchmarks.optimizers import ClassOfAdam

        engine.training.trainer.Optimizer = ClassOfAdam  # type: ignore[assignment,misc]
    connection = OneFrame()
    main(connection)
    print(json.dumps([*connection.seconds, _peak_memory()]))


def _peak_memory() -> float:
    """The most memory that this process has had, MiB; as Linux says it. (`resource` counts that of the parent, too.)"""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    _work(sys.argv[1])
