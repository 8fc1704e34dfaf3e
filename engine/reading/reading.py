"""One reading of somebody's file as the server sees it. It happens in a process of its own; at most two at once.

A process, because a file can need any time and memory, and the visitors of the server must not wait: it can be stopped,
and a crash ends nothing else. Started plainly, as workers are (`engine.workers.channel` says why).
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from engine.data import DataError, Dataset
from engine.limits import LIMITS
from engine.package import IMPORTED_FROM
from engine.reading.job import Job, Sources, cannot_be_read

AT_ONCE = LIMITS.readings_at_once
MEMORY = LIMITS.reading_megabytes * 2**20  # bytes of address space of one reading
SECONDS = LIMITS.reading_seconds
READER = "engine.data:read"
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # the others reserve address space that counts against the limit
}
WAITING = "Other files are being read first."
BEGINNING = "The file is being read."
READ = "The file has been read."


class Reading:
    """A file that is being read. Every method and property returns at once, but for `wait`.

    `progress` is (share that is done, a sentence). Once `done`, either `dataset` or `error` is there; neither if it was
    stopped.

    Args:
        sources: one file, or several that belong together: (name, bytes).
        kind: one of KINDS; None to guess it.
        choices: as of `engine.data.read`.
        memory: limit in bytes.
        seconds: limit, without the time of waiting for other readings.
        reader: "module:function" that reads.
    """

    def __init__(
        self, sources: Iterable[tuple[str, bytes]], kind: str | None = None, choices: Mapping[str, Any] | None = None,
        *, memory: int = MEMORY, seconds: float = SECONDS, reader: str = READER,
    ) -> None:  # fmt: skip
        self.progress: tuple[float, str] = (0.0, WAITING)
        self.result: Any = None
        self.error: DataError | None = None
        self._job = Job(tuple(sources), kind, dict(choices or {}), reader)
        self._memory, self._seconds = memory, seconds
        self._lock, self._stopped = threading.Lock(), False
        self._process: subprocess.Popen[bytes] | None = None
        self._done = threading.Event()
        _LINE.join(self)

    @property
    def dataset(self) -> Dataset | None:
        """What a reader of data has read; None before that, and if there is an error."""
        return self.result if isinstance(self.result, Dataset) else None

    @property
    def sources(self) -> Sources:
        """The files that are read."""
        return self._job.sources

    @property
    def done(self) -> bool:
        """True once there is nothing to wait for: it was read, refused or stopped."""
        return self._done.is_set()

    def wait(self, seconds: float | None = None) -> bool:
        """Block until it is done, at most so many seconds. Returns whether it is."""
        return self._done.wait(seconds)

    def stop(self) -> None:
        """End the reading; a result that has come stays."""
        with self._lock:
            self._stopped = True
            if self._process is None:
                self._done.set()
            else:
                self._process.kill()

    # For the line.

    def take_turn(self) -> None:
        """Read in a process of its own, and wait for it."""
        try:
            outcome = self._outcome()
            if not isinstance(outcome, DataError | None):
                self.result, self.progress = outcome, (1.0, READ)
            elif not self._stopped:
                self.error = outcome
        finally:
            self._done.set()  # whatever happens: somebody waits for it

    def _outcome(self) -> Any:
        """What was read, or a sentence that says why there is nothing; None if it was stopped."""
        try:
            connection, theirs = Pipe()
            with connection, theirs:
                return self._heard(connection, theirs)
        except Exception as error:  # no process, or what it sends is no Dataset: the thread has to go on with the next
            return cannot_be_read(self._job, error)

    def _heard(self, connection: Connection, theirs: Connection) -> Any:
        """What the process says, or a sentence on how it ended; None if it was stopped."""
        names = self._job.names
        with self._lock:
            if self._stopped:
                return None
            limits = [str(theirs.fileno()), str(self._memory), str(self._seconds)]
            process = self._process = subprocess.Popen(
                [sys.executable, "-m", "engine.reading.reader_process", *limits],
                cwd=IMPORTED_FROM, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, start_new_session=True,
                env={**os.environ, **ENVIRONMENT},
            )  # fmt: skip
        theirs.close()  # if it stayed open here, the end of the process would never be seen
        self.progress, end = (0.0, BEGINNING), time.monotonic() + self._seconds
        try:
            connection.send(self._job)
            while connection.poll(max(0.0, end - time.monotonic())):
                message = connection.recv()
                if not isinstance(message, tuple):
                    return message
                self.progress = message
            return DataError(f"{names} was not read within {self._seconds:.0f} seconds. Leave out rows or columns.")
        except (EOFError, OSError):
            process.wait(10)
            says = f"ended by itself ({process.returncode}); perhaps it needed more memory than there is"
            return DataError(f"{names} cannot be read: the process that read it {says}. Leave out rows or columns.")
        finally:
            process.kill()
            process.wait()


class _Line:
    """Readings in the order in which they came; so many threads let one after the other take its turn."""

    def __init__(self, places: int) -> None:
        self._places, self._lock = places, threading.Lock()
        self._threads: list[threading.Thread] = []
        self._waiting: queue.SimpleQueue[Reading] = queue.SimpleQueue()

    @property
    def waiting(self) -> int:
        return self._waiting.qsize()

    def join(self, reading: Reading) -> None:
        with self._lock:
            if len(self._threads) < self._places:
                thread = threading.Thread(target=self._serve, daemon=True, name=f"reading-{len(self._threads)}")
                self._threads.append(thread)
                thread.start()
        self._waiting.put(reading)

    def _serve(self) -> None:
        while True:
            self._waiting.get().take_turn()


_LINE = _Line(AT_ONCE)


def waiting() -> int:
    """The number of readings that wait for their turn."""
    return _LINE.waiting
