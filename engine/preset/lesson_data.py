"""The data of teachers' lessons: files that lie beside the lesson files.

A server reads each in the background, once for as long as it stays as it is: its visitors must not wait for a file. The
command line reads at once.
"""

from __future__ import annotations

import atexit
import json
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NoReturn

from engine.data import KINDS, DataError, Dataset
from engine.data.choices import checked
from engine.data.limits import MAX_FILE_BYTES
from engine.data.problems import names_line
from engine.preset.preset import BeingReadError, PresetError
from engine.reading import Reading

MAX_BYTES = 200_000_000  # of the data files of all lessons together

Find = Callable[[str, dict[str, Any]], Dataset]
"""Finds a lesson's data: (the file's name, what was chosen instead of a guess, with the kind) -> Dataset.

Raises a PresetError where there are none, and a BeingReadError as long as they are being read.
"""
Key = tuple[Path, int, int, str]
"""File, time of its last change in ns, bytes, and the choices as JSON."""


class LessonData:
    """The data of all lessons of a folder. All methods return at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: dict[tuple[Path, str], Key] = {}  # by folder and name of the lesson's file
        self._found: dict[Key, Reading | Dataset | DataError] = {}
        self._version = 0

    def find(self, folder: Path, lesson: str, name: str, choices: dict[str, Any]) -> Dataset:
        """The data of a lesson; their reading begins with the first call.

        Args:
            lesson: the name of the lesson's file. name: the name of the file with its data.
            choices: what was chosen instead of a guess.

        Raises:
            BeingReadError: until they are read.
            PresetError: for a name that is none, a file that is not there, or data that cannot be used.
        """
        path = _beside(folder, name)
        try:
            status = path.stat()
        except OSError as error:
            raise _unreadable(name, error) from error
        if status.st_size > MAX_FILE_BYTES:
            raise PresetError(f"{name} has {status.st_size:,} bytes; a file of data has at most {MAX_FILE_BYTES:,}.")
        others = _without_kind(name, choices)
        key = (path, status.st_mtime_ns, status.st_size, _as_json(choices))
        with self._lock:
            self._wanted[folder, lesson] = key
            self._drop_unwanted()
            if key not in self._found:
                self._found[key] = self._begin(path, choices.get("kind"), others)
            found = self._found[key]
        if isinstance(found, Reading):
            raise BeingReadError(f"{name} is being read; the lesson is here once that is done.")
        if isinstance(found, DataError):
            raise PresetError(sentence(name, found)) from found
        return found

    def published(self, folder: Path, name: str, choices: dict[str, Any]) -> Dataset:
        """Data that a lesson of this folder has, read in the very same way.

        Raises:
            PresetError: for all others: whoever can name a file could else see what is in it.
        """
        as_json = _as_json(choices)
        with self._lock:
            for (where, _), key in self._wanted.items():
                found = self._found.get(key)
                if where == folder and (key[0].name, key[3]) == (name, as_json) and isinstance(found, Dataset):
                    return found
        raise PresetError(
            f"{name} is read only with a lesson in the teacher's folder. Download the lesson, and put both files there."
        )

    def version(self) -> int:
        """A number that is another one whenever `find` may give another answer for unchanged files."""
        with self._lock:
            for key, found in self._found.items():
                if isinstance(found, Reading) and found.done:
                    stopped = DataError("Its reading was stopped.")
                    self._found[key] = found.dataset or found.error or stopped  # and the file's bytes are forgotten
                    self._version += 1
            return self._version

    def keep_only(self, folder: Path, lessons: Collection[str]) -> None:
        """Forget the data of all but these lessons' files."""
        with self._lock:
            kept = {owner: key for owner, key in self._wanted.items() if owner[0] == folder and owner[1] in lessons}
            if len(kept) < len(self._wanted):
                self._wanted = kept
                self._version += 1  # somebody who read the folder later may want what is forgotten now
                self._drop_unwanted()

    def stop(self) -> None:
        """End all readings."""
        with self._lock:
            self._wanted.clear()
            self._drop_unwanted()

    def _begin(self, path: Path, kind: str | None, choices: dict[str, Any]) -> Reading:
        """Begin to read a file."""
        sizes = {path: size for path, _, size, _ in self._wanted.values()}
        if sum(sizes.values()) > MAX_BYTES:
            raise PresetError(f"The data of all lessons have {sum(sizes.values()):,} bytes, more than {MAX_BYTES:,}.")
        try:
            content = path.read_bytes()
        except OSError as error:
            raise _unreadable(path.name, error) from error
        return Reading([(path.name, content)], kind, choices)

    def _drop_unwanted(self) -> None:
        wanted = set(self._wanted.values())
        for key in [key for key in self._found if key not in wanted]:
            found = self._found.pop(key)
            if isinstance(found, Reading):
                found.stop()


DATA = LessonData()
atexit.register(DATA.stop)  # a reading is a process of its own, and would go on


def read_beside(folder: Path, name: str, choices: dict[str, Any]) -> Dataset:
    """Read the data of a lesson in this folder, now; arguments and errors as of `LessonData.find`."""
    from engine.data import read

    path, others = _beside(folder, name), _without_kind(name, choices)
    try:
        dataset: Dataset = read(path, choices.get("kind"), **others)
    except DataError as error:
        raise PresetError(sentence(name, error)) from error
    except OSError as error:
        raise _unreadable(name, error) from error
    return dataset


def nowhere(name: str, choices: dict[str, Any]) -> NoReturn:
    """Find no data: for lessons without a folder.

    Raises:
        PresetError: always.
    """
    raise PresetError(f"{name} is not here: only the lessons of a teacher's folder have data of their own.")


def sentence(name: str, error: DataError) -> str:
    """What is wrong with a file of data: its name, the line and the column if there are any, and the sentence."""
    parts = [name]
    if error.line is not None and not names_line(error.sentence, error.line):
        parts.append(f"line {error.line}")
    if error.column is not None and str(error.column) not in error.sentence:
        parts.append(f"column {error.column}")
    return f"{', '.join(parts)}: {error.sentence}"


def _beside(folder: Path, name: str) -> Path:
    """The path of a file in this very folder.

    Raises:
        PresetError: for a name with a directory, a hidden file, or a link that leads elsewhere.
    """
    path = folder / name
    if not name or name.startswith(".") or not name.isprintable() or set(name) & set("/\\:") or path.name != name:
        raise PresetError(f"the name of a file beside the lesson is expected, without a directory, but got {name!r}.")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise PresetError(f"{name} leads out of the folder of the lesson; put the file itself there.")
    return path


def _without_kind(name: str, choices: dict[str, Any]) -> dict[str, Any]:
    """The choices without the kind, checked before anything is read.

    Raises:
        PresetError: for one that is not known, or a value that is not accepted.
    """
    kind = choices.get("kind")
    if "kind" in choices and kind not in KINDS:
        raise PresetError(f"the kind of the data is one of {', '.join(KINDS)}, but got {kind!r}.")
    try:
        return checked({each: value for each, value in choices.items() if each != "kind"})
    except DataError as error:
        raise PresetError(sentence(name, error)) from error


def _unreadable(name: str, error: OSError) -> PresetError:
    if isinstance(error, FileNotFoundError):
        return PresetError(f"{name} is not there; put it beside the lesson's file.")
    return PresetError(f"{name} cannot be read: {error.strerror}.")


def _as_json(choices: dict[str, Any]) -> str:
    return json.dumps(choices, sort_keys=True, default=str)
