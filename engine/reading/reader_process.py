"""The process that reads a file: `python -m engine.reading.reader_process <fd> <bytes of memory> <seconds>`.

It sends (share, sentence) as it goes on, and at last what was read, such as a Dataset, or a DataError.
"""

from __future__ import annotations

import importlib
import io
import resource
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import IO, Any

from engine.data import DataError
from engine.reading.job import Job, cannot_be_read, too_large

REPORT_EVERY = 0.1  # seconds between two reports at most
GRACE = 10  # seconds after the time limit: by then whoever waits has ended this process, if they still live

Reader = Callable[..., Any]


class NamedFile(io.BytesIO):
    """The bytes of a file, with its name."""

    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(content)
        self.name = name


def outcome_of(job: Job, report: Callable[[float, str], None]) -> Any:
    """Read, and turn every error into a sentence: whatever a file holds, whoever brought it is told."""
    module, _, function = job.reader.partition(":")
    try:
        read: Reader = getattr(importlib.import_module(module), function)
        files: list[IO[bytes]] = [NamedFile(*source) for source in job.sources]
        return read(files[0] if len(files) == 1 else files, job.kind, on_progress=report, **job.choices)
    except DataError as error:
        return error
    except MemoryError:
        return too_large(job)
    except Exception as error:
        return cannot_be_read(job, error)


def main(connection: Connection, memory: int, seconds: float) -> None:
    """Read one job, within limits of memory (bytes) and time."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    signal.setitimer(signal.ITIMER_REAL, seconds + GRACE)  # ends this process if the server has gone
    job: Job = connection.recv()
    reported = 0.0

    def report(share: float, sentence: str) -> None:
        nonlocal reported
        if time.monotonic() - reported >= REPORT_EVERY:
            connection.send((min(1.0, max(0.0, share)), sentence))
            reported = time.monotonic()

    outcome = outcome_of(job, report)
    try:
        connection.send(outcome)
    except MemoryError:
        connection.send(too_large(job))


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])), int(sys.argv[2]), float(sys.argv[3]))
