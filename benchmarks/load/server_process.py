"""The server under load: started on a free port, and its processor time and memory read from /proc (Linux only)."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
STARTUP = 120.0  # seconds until the server must answer
TICK, PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")


class ServerProcess:
    """A server of this checkout with its workers, ended with the `with` statement.

    Args:
        log: where it writes what it says; None for nowhere.
    """

    def __init__(self, log: IO[bytes] | None = None) -> None:
        self._log = log

    def __enter__(self) -> ServerProcess:
        self.address = f"127.0.0.1:{_free_port()}"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "STREAMLIT_SERVER_PORT": self.address.split(":")[1]}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app/server.py", "--server.headless", "true"],
            cwd=ROOT, env=environment, stdout=self._log or subprocess.DEVNULL, stderr=subprocess.STDOUT,
        )  # fmt: skip
        end = time.monotonic() + STARTUP
        while not self._answers():
            if time.monotonic() > end or self._process.poll() is not None:
                self._process.kill()
                raise RuntimeError("the server did not start")
            time.sleep(0.5)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(30)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"http://{self.address}/_stcore/health", timeout=5).close()
        except OSError:
            return False
        return True

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._process.pid

    @property
    def workers(self) -> list[int]:
        """The process ids of its workers."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(child) for child in children]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def processor_seconds(*pids: int) -> float:
    """Processor time that these processes have taken so far."""
    return sum(parse_stat(Path(f"/proc/{pid}/stat").read_text()) for pid in pids)


def parse_stat(line: str) -> float:
    """User and system time in seconds of a line of /proc/<pid>/stat. The name, in brackets, may hold anything."""
    fields = line.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory(*pids: int) -> float:
    """MiB that these processes hold in memory."""
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids]
    return sum(pages) * PAGE / 2**20
