"""Writing a growing file: one look after the other, never larger than a limit. No torch."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.recording.error import RecordingError
from engine.recording.growing.chunks import BEGINS, ID_BYTES, MAGIC, MAX_CHUNK
from engine.recording.growing.looks import RecordedLook, chunk_of

SUFFIX = ".looks"
"""How the names of such files end."""
MAX_MEGABYTES = 64
"""Of a file: as much as the page "Open a recording" takes."""
MAX_BYTES = MAX_MEGABYTES * 10**6


class GrowingFile:
    """Appends looks to a file, for as many days as it takes.

    A chunk is written at once and never changed, so that a reader sees whole looks only, also after a crash. When the
    file is full, every second look is left out of a new one that takes its place, and from then on only every second
    one is written, and so on: the first look stays, and the others remain evenly spaced.

    Args:
        path: is made anew. A file there that is no recording of looks is not touched.
        max_bytes: of the whole file.

    Raises:
        RecordingError: if there is such a file. OSError: if it cannot be written, as where its folder is not there.
    """

    def __init__(self, path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> None:
        self.path, self._max_bytes = Path(path), max_bytes
        self._stride, self._count = 1, 0
        self._spans: list[tuple[int, int]] = []  # of every chunk: where it begins and ends
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"the folder {self.path.parent} is not there")
        if self.path.exists() and not _is_ours(self.path):
            raise RecordingError(f"{self.path} exists and is no recording of looks: it is not overwritten.")
        self._file = -1
        self._renew([])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._spans[-1][1] if self._spans else BEGINS

    def append(self, recorded: RecordedLook) -> None:
        """Write a look, or leave it out if the file is thinned; the last one never is.

        Raises:
            RecordingError: if one look is larger than a file may be. OSError: if it cannot be written, as on a full
                disk; the file then is as it was before.
        """
        self._count += 1
        if (self._count - 1) % self._stride and not recorded.is_last:
            return
        chunk = chunk_of(recorded)
        most = min(MAX_CHUNK, self._max_bytes - BEGINS)
        if len(chunk) > most:
            raise RecordingError(f"One look takes {len(chunk) / 2**20:.0f} MB and {most / 2**20:.0f} are allowed.")
        while self.size + len(chunk) > self._max_bytes:
            self._halve()
        self._write(chunk)

    def close(self) -> None:
        """Write no more; the file stays."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _write(self, chunk: bytes) -> None:
        start = self.size
        try:
            _write_all(self._file, chunk)
        except OSError:
            os.ftruncate(self._file, start)
            os.lseek(self._file, start, os.SEEK_SET)
            raise
        self._spans.append((start, start + len(chunk)))

    def _halve(self) -> None:
        """Keep every second look, in a new file under the same name; with one look left, none."""
        self._renew(self._spans[::2] if len(self._spans) > 1 else [])
        self._stride *= 2

    def _renew(self, kept: list[tuple[int, int]]) -> None:
        """Put a new file in the place of the old one, with some of its chunks."""
        new = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        try:
            target = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        except OSError as error:  # which names the new file, of which nobody has heard
            raise OSError(error.errno, error.strerror, str(self.path)) from error
        try:
            _write_all(target, MAGIC + secrets.token_bytes(ID_BYTES))
            spans, at = [], BEGINS
            for start, stop in kept:
                _write_all(target, os.pread(self._file, stop - start, start))
                spans.append((at, at + stop - start))
                at += stop - start
            new.replace(self.path)
        except OSError:
            os.close(target)
            new.unlink(missing_ok=True)
            raise
        self.close()
        self._file, self._spans = target, spans


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        begins = file.read(len(MAGIC))
    return not begins or begins == MAGIC


def _write_all(file: int, content: bytes) -> None:
    """Write everything; the system may take it in pieces."""
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]
