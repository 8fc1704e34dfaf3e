"""Reading a growing file: what is new since it was last looked at. No torch."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine import package
from engine.recording.error import RecordingError
from engine.recording.growing.chunks import BEGINS, DAMAGED, read_beginning, read_chunk
from engine.recording.growing.looks import RecordedLook, look_of

MAX_BYTES = 128 * 2**20
"""Of a file that is read: earlier versions wrote as much."""
TOO_LARGE = "This recording of looks is larger than {most} MB, which is too much to open."


@dataclass(frozen=True, eq=False)
class News:
    """What is new in a growing file.

    Args:
        looks: in the order of the file.
        is_anew: the file was made anew, so that nothing of what was read before counts any more.
    """

    looks: tuple[RecordedLook, ...] = ()
    is_anew: bool = False


class Follower:
    """Follows a growing file, which need not exist yet. A chunk that is half written is waited for.

    Args:
        max_bytes: of the file; a larger one is refused before anything is read.
    """

    def __init__(self, path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> None:
        self.path, self._max_bytes = Path(path), max_bytes
        self._id: bytes | None = None
        self._at = BEGINS
        self._problem = ""

    def news(self) -> News:
        """What was written since the last call.

        Raises:
            RecordingError: with a sentence, if the file is none of ours, or damaged; again at every call, until the
                file is made anew. OSError: if it is there and cannot be read.
        """
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return News()
        with file:
            size = os.fstat(file.fileno()).st_size
            if size > self._max_bytes:
                raise RecordingError(TOO_LARGE.format(most=self._max_bytes // 2**20))
            if (found := read_beginning(file)) is None:
                return News()
            is_anew = found != self._id or size < self._at
            if is_anew:
                self._id, self._at, self._problem = found, BEGINS, ""
            if self._problem:
                raise RecordingError(self._problem)
            file.seek(self._at)
            try:
                looks, self._at = _read(file, self._at, size)
            except RecordingError as error:
                self._problem = str(error)
                raise
            return News(looks, is_anew)


def read_looks(content: bytes) -> tuple[RecordedLook, ...]:
    """All looks of a file that no longer grows; a last one that is half written is left out.

    Raises:
        RecordingError: with a sentence, if it is none of ours, is damaged, or has no look.
    """
    file = io.BytesIO(content)
    if read_beginning(file) is None:
        raise RecordingError("This recording of looks is empty: it ends before its first look.")
    looks, _ = _read(file, BEGINS, len(content))
    if not looks:
        raise RecordingError("This recording has no look yet.")
    return looks


def _read(file: BinaryIO, at: int, size: int) -> tuple[tuple[RecordedLook, ...], int]:
    """The whole chunks from `at` on, and where the next one begins."""
    looks = []
    try:
        while at < size and (chunk := read_chunk(file, size - at)) is not None:
            looks.append(look_of(chunk))
            at = file.tell()
    except RecordingError:
        raise
    except Exception as error:  # a damaged file can cause any error, and must not crash the page
        raise RecordingError(_said(error)) from error
    return tuple(looks), at


def _said(error: Exception) -> str:
    """The sentence of an error of ours; of any other that it is damaged."""
    return str(error) if type(error).__module__.startswith(f"{package.NAME}.") else DAMAGED
