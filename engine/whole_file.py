"""Write a file as a whole: whoever reads it finds the old one or the new one, also where the disk becomes full."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file beside this one for writing; it takes this one's place at the end, unless something went wrong.

    Raises:
        OSError: if it cannot be written; the file that was there stays, and nothing is left beside it.
    """
    beside = path.with_name(path.name + ".new")
    try:
        with beside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
