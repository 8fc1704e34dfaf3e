"""All lessons: those of the course in `presets/`, and those of a teacher in a separate folder.

The teacher's folder is checked at every call, so that a new file is a lesson at once; files are parsed again only if
one of them has changed, or data of a lesson have been read meanwhile.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from dataclasses import replace
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from engine.data import Dataset
from engine.package import ROOT
from engine.preset.lesson_data import DATA
from engine.preset.parser import parse_preset
from engine.preset.preset import KINDS, BeingReadError, Preset, PresetError

FOLDER = ROOT / "presets"
FORMS = ("toml", "md")
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_FILES, MAX_LESSON_BYTES = 200, 200_000  # in a teacher's folder; in one file of it

Files = tuple[tuple[str, int, int], ...]  # (name, time of last change in ns, bytes) of each file


class Signature(NamedTuple):
    """A value that changes with what the lessons of a folder are read from: lessons, files beside them, data read."""

    lessons: Files
    others: Files
    data: int


class TeacherLessons(NamedTuple):
    """What a teacher's folder holds: lessons, what is wrong with other files, and what is being read, by slug."""

    presets: tuple[Preset, ...]
    problems: tuple[str, ...]
    being_read: dict[str, str]


_last_read: dict[str, Preset] = {}
"""Teachers' lessons as last parsed, for users who have one open while its file is edited or removed."""


def list_presets() -> tuple[Preset, ...]:
    """All lessons of the course in order, then its failure cards in order, then the teacher's."""
    folder = teachers_folder()
    return _all_lessons(folder, _signature(folder))


def load_preset(slug: str) -> Preset:
    """One lesson by its slug. A teacher's lesson whose file is gone or broken is returned as last parsed.

    Raises:
        PresetError: saying why its file cannot be used, or naming the slugs that exist.
    """
    presets = list_presets()
    for preset in presets:
        if preset.slug == slug:
            return preset
    if slug in _last_read:
        return _last_read[slug]
    told = (*being_read().values(), *unreadable())
    if problem := next((each for each in told if each.startswith(tuple(f"{slug}.{form}" for form in FORMS))), None):
        raise PresetError(problem)
    raise PresetError(f"There is no preset {slug!r}; there are {', '.join(each.slug for each in presets)}.")


def unreadable() -> tuple[str, ...]:
    """Error messages for the teacher's folder, one for every file that cannot be used as a lesson."""
    return _teachers().problems


def being_read() -> dict[str, str]:
    """The teacher's lessons whose data are being read in the background: by slug a sentence that says so."""
    return _teachers().being_read


def wait_until_read(slug: str, seconds: float) -> bool:
    """Block while the data of this lesson are being read, at most so many seconds. Returns whether they still are."""
    end = time.monotonic() + seconds
    while (still := slug in being_read()) and time.monotonic() < end:
        time.sleep(0.05)
    return still


def published_data(name: str, choices: dict[str, Any]) -> Dataset:
    """Data that one of the teacher's lessons has, read with the same choices.

    Raises:
        PresetError: for all others.
    """
    return DATA.published(teachers_folder(), name, choices)


def teachers_folder() -> Path:
    """The folder of the teacher's lessons: PLAYGROUND_LESSONS, or `lessons/` beside `presets/`."""
    return Path(os.environ.get("PLAYGROUND_LESSONS") or ROOT / "lessons")


def _teachers() -> TeacherLessons:
    folder = teachers_folder()
    return _teacher_lessons(folder, _signature(folder))


def _signature(folder: Path) -> Signature:
    """The files of the folder and the data that are read; without files if there is no folder."""
    try:
        with os.scandir(folder) as ordered:
            files = [(each.name, each.stat()) for each in ordered if not each.name.startswith(".") and each.is_file()]
    except OSError:
        files = []
    ordered_files = sorted((name, status.st_mtime_ns, status.st_size) for name, status in files)
    lessons = tuple(each for each in ordered_files if _is_lesson(each[0]))
    return Signature(lessons, tuple(each for each in ordered_files if not _is_lesson(each[0])), DATA.version())


def _is_lesson(file: str) -> bool:
    name, _, form = file.rpartition(".")
    return form in FORMS and name.lower() != "readme"


@cache
def _course_lessons() -> tuple[Preset, ...]:
    paths = [path for form in FORMS for path in FOLDER.glob(f"*.{form}")]
    presets = (parse_preset(path.stem, path.read_text(encoding="utf-8"), path.suffix[1:]) for path in paths)
    return tuple(sorted(presets, key=lambda preset: (KINDS.index(preset.kind), preset.order)))


@lru_cache(maxsize=4)
def _all_lessons(folder: Path, signature: Signature) -> tuple[Preset, ...]:
    return _course_lessons() + _teacher_lessons(folder, signature).presets


@lru_cache(maxsize=4)
def _teacher_lessons(folder: Path, signature: Signature) -> TeacherLessons:
    """The teacher's lessons in order, and messages for the other files."""
    read: dict[str, Preset] = {}
    waiting: dict[str, str] = {}
    files = signature.lessons
    problems = [f"Only the first {MAX_FILES} of {len(files)} files are read."] * (len(files) > MAX_FILES)
    DATA.keep_only(folder, {name for name, _, _ in files})
    for name, _, size in files[:MAX_FILES]:
        try:
            preset = _read(folder / name, size, read)
        except BeingReadError as error:
            waiting[Path(name).stem] = str(error)
        except PresetError as error:
            problems.append(str(error))
        else:
            read[preset.slug] = preset
    presets = _in_order(read.values())
    _last_read.update({preset.slug: preset for preset in presets})
    for slug in list(_last_read)[: -2 * MAX_FILES]:
        del _last_read[slug]
    return TeacherLessons(presets, tuple(problems), waiting)


def _read(path: Path, size: int, others: dict[str, Preset]) -> Preset:
    slug, file = path.stem, path.name
    check_name(file)
    if slug in others:
        raise PresetError(f"{file}: {others[slug].file} is called {slug} already; give one of them another name.")
    check_size(file, size)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise PresetError(f"{file} cannot be read: {why}.") from error
    preset = parse_preset(slug, text, path.suffix[1:], partial(DATA.find, path.parent, file))
    check_claims(file, preset)
    return replace(preset, file=file)


def check_name(file: str) -> None:
    """Check the name of a teacher's file.

    Raises:
        PresetError: for a name that is no slug, or one that the course has.
    """
    slug, place = Path(file).stem, ("file",)
    if not NAME.fullmatch(slug) or Path(file).name != file:
        says = "the name must be small letters, digits and single hyphens, as in my-lesson.md."
        raise PresetError(f"{file}: {says}", says=says, place=place)
    if slug in {preset.slug for preset in _course_lessons()}:
        says = f"the course has a lesson called {slug} already; give the file another name."
        raise PresetError(f"{file}: {says}", says=says, place=place)


def check_size(file: str, size: int) -> None:
    """Check how many bytes a teacher's file has.

    Raises:
        PresetError: for more than MAX_LESSON_BYTES.
    """
    if size > MAX_LESSON_BYTES:
        says = f"a lesson has at most {MAX_LESSON_BYTES:,} bytes, this one {size:,}."
        raise PresetError(f"{file}: {says}", says=says, place=("file",))


def check_claims(file: str, preset: Preset) -> None:
    """Check that a teacher's lesson claims nothing that would have to be measured.

    Raises:
        PresetError: for a claim that is not only shown.
    """
    if any(claim.gate != "shown" for claim in preset.claims):
        says = "nothing measures a lesson of this folder, so gate must be shown."
        raise PresetError(f"{file}, claims: {says}", says=says, place=("claims",))


def _in_order(presets: Iterable[Preset]) -> tuple[Preset, ...]:
    """Sort and number: lessons before failure cards, chapters by their lowest order, each kind numbered from 1."""
    first: dict[str, int] = {}
    for preset in presets:
        first[preset.chapter] = min(preset.order, first.get(preset.chapter, preset.order))
    ordered: list[Preset] = []
    for kind in KINDS:
        those = [preset for preset in presets if preset.kind == kind]
        those.sort(key=lambda each: (first[each.chapter], each.chapter, each.order, each.slug))
        ordered += [replace(preset, order=number) for number, preset in enumerate(those, 1)]
    return tuple(ordered)
