"""The screen of a lens: a server process of its own, which is given one folder and shows what is recorded there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from engine.package import ROOT
from engine.recording.growing.folder import FOLDER, OPENS
from engine.screen import ADDRESS, RECORDINGS, ScreenError, Server, free_port, why_not

_started: list[subprocess.Popen[bytes]] = []  # held, so that no process is reported as lost when its handle is


def open_screen(folder: Path) -> str:
    """Start the screen for a folder, and return the address of its page at once; it opens the browser when it is ready.

    Raises:
        ScreenError: if what it needs is not installed.
    """
    if why := why_not():
        raise ScreenError(
            f"The page cannot be shown: {why}. lens.record(path) writes the same to a file that "
            'the page "Open a recording" opens elsewhere.'
        )
    port = free_port()
    address = f"http://{ADDRESS}:{port}/{RECORDINGS}"
    server, quiet = Server.at(port, told={FOLDER: str(folder), OPENS: address}), subprocess.DEVNULL
    _started.append(
        subprocess.Popen(
            server.command,
            cwd=ROOT,
            env=server.environment,
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
            start_new_session=True,  # Ctrl-C ends the training, not the screen
        )
    )
    return address


def how_it_ends() -> str:
    """How long the screen that was opened last stays, in a sentence."""
    end = f"; kill {_started[-1].pid} ends it now" if os.name == "posix" else ""
    return f"The page outlives the training, and ends ten minutes after its last window is closed{end}."
