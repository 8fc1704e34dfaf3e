"""The screen of a lens: a server process of its own, which is given one folder and shows what is recorded there."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
from pathlib import Path

from engine.recording.growing.folder import FOLDER, OPENS

PAGE = "recording"
NEEDED = ("streamlit", "plotly", "starlette")
ADDRESS = "127.0.0.1"
_started: list[subprocess.Popen[bytes]] = []  # held, so that no process is reported as lost when its handle is


class ScreenError(RuntimeError):
    """The screen cannot be opened; the message says why."""


def open_screen(folder: Path) -> str:
    """Start the screen for a folder, and return the address of its page at once; it opens the browser when it is ready.

    Raises:
        ScreenError: if what it needs is not installed.
    """
    server, port = _server(), _free_port()
    address = f"http://{ADDRESS}:{port}/{PAGE}"
    command = [sys.executable, "-m", "streamlit", "run", str(server), "--server.headless", "true",
               "--server.address", ADDRESS, "--server.port", str(port)]  # fmt: skip
    quiet = subprocess.DEVNULL
    _started.append(
        subprocess.Popen(
            command,
            cwd=server.parents[1],  # where its settings are
            env={**os.environ, FOLDER: str(folder), OPENS: address},
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
            start_new_session=True,  # Ctrl-C ends the training, not the screen
        )
    )
    return address


def _server() -> Path:
    """The server's script, beside this package."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    server = Path(__file__).parents[2] / "app" / "server.py"
    if missing or not server.is_file():
        what = f"the packages {', '.join(missing)}" if missing else "the playground's folder app/"
        raise ScreenError(
            f"The page cannot be shown: {what} cannot be found here. lens.record(path) writes the same to a file that "
            'the page "Open a recording" opens elsewhere.'
        )
    return server


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        port: int = probe.getsockname()[1]
        return port
