"""How the page's server is started: by a command, in a folder, told by its environment what it shows. No torch."""

from __future__ import annotations

import importlib.util
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.package import IS_INSTALLED, ROOT

NEEDED = ("streamlit", "plotly", "starlette")
ADDRESS = "127.0.0.1"
FILES = "PLAYGROUND_FILES"
"""The environment variable with the files that the page "Open a recording" has opened, as in a search path."""
RECORDINGS = "recording"
"""The last part of that page's address."""


class ScreenError(RuntimeError):
    """The page cannot be opened; the message says why."""


@dataclass(frozen=True)
class Server:
    """A server that is not started yet.

    Args:
        options: of Streamlit. told: what it is told by its environment.
    """

    options: Sequence[str] = ()
    told: dict[str, str] = field(default_factory=dict)

    @property
    def command(self) -> list[str]:
        """What starts it, in the folder ROOT, where its settings are."""
        return [sys.executable, "-m", "streamlit", "run", str(ROOT / "app" / "server.py"), *self.options]

    @property
    def environment(self) -> dict[str, str]:
        """The environment that it is started in."""
        return {**os.environ, **self.told}

    @classmethod
    def at(cls, port: int, address: str = ADDRESS, told: dict[str, str] | None = None) -> Server:
        """A server with this address, which opens no browser by itself."""
        options = ("--server.headless", "true", "--server.address", address, "--server.port", str(port))
        return cls(options, told or {})

    def take_over(self) -> None:
        """Become this server: the process goes on as its own, and Ctrl-C reaches it."""
        os.chdir(ROOT)
        os.execve(sys.executable, self.command, self.environment)


def why_not() -> str:
    """Why no page can be shown here, in a sentence; "" if one can."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        brings = "python -m pip install 'rnn-playground[app]'" if IS_INSTALLED else "make run"
        return f"the packages {', '.join(missing)} cannot be found here: {brings} brings them"
    return "" if (ROOT / "app" / "server.py").is_file() else "the playground's folder app/ cannot be found here"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        port: int = probe.getsockname()[1]
        return port


def is_taken(port: int, address: str = ADDRESS) -> bool:
    """True if a server listens there already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return True
    return False


def given_files() -> list[Path]:
    """The files that this server was told to have open."""
    return [Path(name) for name in os.environ.get(FILES, "").split(os.pathsep) if name]
