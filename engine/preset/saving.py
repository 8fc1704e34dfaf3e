"""Keep a lesson in the teacher's folder, where the server allows it."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from engine.preset.library import (
    FORMS,
    MAX_FILES,
    NAME,
    check_claims,
    check_name,
    check_size,
    published_data,
    teachers_folder,
)
from engine.preset.parser import parse_preset
from engine.preset.preset import PresetError

ALLOWED = "PLAYGROUND_SAVE_LESSONS"
"""The environment variable by which a server allows it: "1". Whoever can open its pages can then write there."""


class FileExistsAlreadyError(PresetError):
    """There is a lesson of this name; `save_lesson(..., replace=True)` replaces it."""


def may_save() -> bool:
    """True if this server keeps lessons that are written in the browser."""
    return os.environ.get(ALLOWED, "") == "1"


def save_lesson(slug: str, text: str, *, replace: bool = False) -> Path:
    """Write `<slug>.md` into the teacher's folder: whole, or not at all.

    Args:
        slug: the file's name without its suffix.
        text: the lesson, as `writer` writes it.
        replace: whether a file of this name may be replaced.

    Raises:
        FileExistsAlreadyError: if there is one and it may not be replaced.
        PresetError: if this server does not allow it, the name is none, the lesson cannot be used, the folder is full,
            or the file cannot be written.
    """
    file = f"{slug}.md"
    if not may_save():
        raise _refused(file, f"this server keeps no lessons; it does if it is started with {ALLOWED}=1.")
    if not NAME.fullmatch(slug) or slug == "readme":  # README.md explains the folder, and is no lesson
        raise _refused(file, "the name must be small letters, digits and single hyphens, as in my-lesson.md.")
    check_name(file)
    content = text.encode()
    check_size(file, len(content))
    check_claims(file, parse_preset(slug, text, "md", published_data))
    folder = teachers_folder()
    _check_place(folder, slug, replace)
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True)
    except OSError as error:
        raise _refused(file, f"the folder of the lessons cannot be made: {error.strerror}.") from error
    try:
        _write(folder / file, content, replace)
    except FileExistsError as error:
        raise _exists(file) from error
    except OSError as error:
        raise _refused(file, f"it cannot be written: {error.strerror}.") from error
    return folder / file


def _check_place(folder: Path, slug: str, replace: bool) -> None:
    """Check that there is room for a file of this name."""
    file = f"{slug}.md"
    if (folder / f"{slug}.toml").exists():
        raise _refused(file, f"{slug}.toml is called {slug} already; give the file another name.")
    if (folder / file).exists():
        if not replace:
            raise _exists(file)
    elif sum(path.suffix[1:] in FORMS for path in folder.glob("*.*")) >= MAX_FILES:
        raise _refused(file, f"the folder has {MAX_FILES} lessons already, and no more are read.")


def _write(path: Path, content: bytes, replace: bool) -> None:
    """Write a file beside its place first, then put it there in one move, so that nobody reads half of it.

    Raises:
        FileExistsError: if there is one now and it may not be replaced.
    """
    handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)  # as a file that somebody has put there: mkstemp makes one for its owner alone
        if replace:
            Path(name).replace(path)
        else:
            os.link(name, path)  # unlike a rename this never replaces a file that came in the meantime
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()


def _exists(file: str) -> FileExistsAlreadyError:
    says = f"there is a lesson of the name {file} already."
    return FileExistsAlreadyError(f"{file}: {says}", says=says, place=("file",))


def _refused(file: str, says: str) -> PresetError:
    return PresetError(f"{file}: {says}", says=says, place=("file",))
