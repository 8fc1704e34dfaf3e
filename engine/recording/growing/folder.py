"""The one folder of growing files that a server may show. No torch."""

from __future__ import annotations

import os
from pathlib import Path

from engine.recording.growing.writer import SUFFIX

FOLDER = "PLAYGROUND_LOOKS"
"""The environment variable that gives a server its folder; without it, it shows none."""
OPENS = "PLAYGROUND_OPENS"
"""The environment variable with the address that a server opens in the browser once it is ready."""


def folder() -> Path | None:
    """This server's folder; None without one."""
    given = os.environ.get(FOLDER)
    return Path(given) if given else None


def names(of: Path) -> list[str]:
    """The names of its recordings, the one that was written last first: plain files of the folder itself."""
    found = []
    for entry in os.scandir(of) if of.is_dir() else ():
        if entry.name.endswith(SUFFIX) and not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
            found.append((entry.stat(follow_symlinks=False).st_mtime, entry.name))
    return [name for _, name in sorted(found, reverse=True)]
