"""How the pool reaches a worker: a process of this machine, or whatever carries the same messages. No torch."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from multiprocessing import Pipe
from pathlib import Path
from typing import Any, Protocol

from engine.package import IMPORTED_FROM
from engine.workers.protocol import PoolMessage, WorkerMessage

ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    # Large tensors from the heap, not from fresh pages at every step: a long LSTM trains half as fast again.
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    "MALLOC_TRIM_THRESHOLD_": str(2**31),
    "MALLOC_TOP_PAD_": str(2**26),
}


class Channel(Protocol):
    """A started worker and the connection to it. One thread may send while another polls and receives.

    `send`, `poll` and `recv` raise OSError or EOFError once the worker is gone.
    """

    @property
    def name(self) -> str:
        """What the worker is, for the log."""

    def send(self, message: PoolMessage) -> None:
        """Send a message; blocks while the connection is full."""

    def poll(self, seconds: float) -> bool:
        """True as soon as a message can be received, False if there is none after so many seconds."""

    def recv(self) -> WorkerMessage:
        """Receive the next message; blocks until there is one."""

    def processor_seconds(self) -> float | None:
        """Processor time that the worker has taken so far; None where that is not known."""

    def kill(self) -> None:
        """End the worker at once."""

    def wait(self, seconds: float | None = None) -> object:
        """Block until the worker has ended. Returns how it ended, for the log."""


ChannelFactory = Callable[[], Channel]
"""Starts a worker and returns without waiting until it is ready."""


class LocalProcess:
    """A worker process on this machine, connected by a pipe.

    Args:
        module: what runs in it, with the file descriptor of its end of the pipe as the argument. It decides which
            messages go to and fro; those of the pool's workers are `PoolMessage` and `WorkerMessage`.
    """

    def __init__(self, module: str = "engine.workers.worker") -> None:
        self._connection, theirs = Pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, str(theirs.fileno())],
            cwd=IMPORTED_FROM,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, **ENVIRONMENT},
        )
        theirs.close()  # if it stayed open here, the end of the worker would never be seen as an end of file

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def name(self) -> str:
        """What the worker is, for the log."""
        return f"process {self.pid}"

    def send(self, message: object) -> None:
        """Send a message; blocks while the pipe is full."""
        self._connection.send(message)

    def poll(self, seconds: float) -> bool:
        """True as soon as a message can be received, False if there is none after so many seconds."""
        return self._connection.poll(seconds)

    def recv(self) -> Any:
        """Receive the next message; blocks until there is one."""
        return self._connection.recv()

    def processor_seconds(self) -> float | None:
        """Processor time that the process has taken so far; None where only Linux would say."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        ticks = int(fields[11]) + int(fields[12])  # in the program, and in the system for it
        return ticks / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def wait(self, seconds: float | None = None) -> int:
        """Block until the process has ended. Returns its exit code."""
        return self._process.wait(seconds)
