"""All lessons: those of the course in `presets/`, and those of a teacher in a separate folder.

The teacher's folder is checked at every call, so that a new file is a lesson at once; files are parsed again only if
one of them has changed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path

from engine.preset.parser import parse_preset
from engine.preset.preset import KINDS, Preset, PresetError

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "presets"
FORMS = ("toml", "md")
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_FILES, MAX_FILE_BYTES = 200, 200_000  # in a teacher's folder; in one file of it

Signature = tuple[tuple[str, int, int], ...]  # (name, time of last change in ns, bytes) of each file

_last_read: dict[str, Preset] = {}
"""Teachers' lessons as last parsed, for users who have one open while its file is edited or removed."""


def list_presets() -> tuple[Preset, ...]:
    """All lessons of the course in order, then its failure cards in order, then the teacher's."""
    folder = teachers_folder()
    return _all_lessons(folder, _signature(folder))


def load_preset(slug: str) -> Preset:
    """One lesson by its slug. A teacher's lesson whose file is gone or broken is returned as last parsed.

    Raises:
        PresetError: naming the slugs that exist.
    """
    presets = list_presets()
    for preset in presets:
        if preset.slug == slug:
            return preset
    if slug in _last_read:
        return _last_read[slug]
    raise PresetError(f"There is no preset {slug!r}; there are {', '.join(each.slug for each in presets)}.")


def unreadable() -> tuple[str, ...]:
    """Error messages for the teacher's folder, one for every file that cannot be used as a lesson."""
    folder = teachers_folder()
    return _teacher_lessons(folder, _signature(folder))[1]


def teachers_folder() -> Path:
    """The folder of the teacher's lessons: PLAYGROUND_LESSONS, or `lessons/` beside `presets/`."""
    return Path(os.environ.get("PLAYGROUND_LESSONS") or ROOT / "lessons")


def _signature(folder: Path) -> Signature:
    """A value that changes with any file of the folder; empty if there is no folder."""
    try:
        with os.scandir(folder) as ordered:
            files = [(each.name, each.stat()) for each in ordered if _is_lesson(each)]
    except OSError:
        return ()
    return tuple(sorted((name, status.st_mtime_ns, status.st_size) for name, status in files))


def _is_lesson(entry: os.DirEntry[str]) -> bool:
    name, _, form = entry.name.rpartition(".")
    return form in FORMS and name.lower() != "readme" and not name.startswith(".") and entry.is_file()


@cache
def _course_lessons() -> tuple[Preset, ...]:
    paths = [path for form in FORMS for path in FOLDER.glob(f"*.{form}")]
    presets = (parse_preset(path.stem, path.read_text(encoding="utf-8"), path.suffix[1:]) for path in paths)
    return tuple(sorted(presets, key=lambda preset: (KINDS.index(preset.kind), preset.order)))


@lru_cache(maxsize=4)
def _all_lessons(folder: Path, signature: Signature) -> tuple[Preset, ...]:
    return _course_lessons() + _teacher_lessons(folder, signature)[0]


@lru_cache(maxsize=4)
def _teacher_lessons(folder: Path, signature: Signature) -> tuple[tuple[Preset, ...], tuple[str, ...]]:
    """The teacher's lessons in order, and error messages for the other files."""
    read: dict[str, Preset] = {}
    problems = [f"Only the first {MAX_FILES} of {len(signature)} files are read."] * (len(signature) > MAX_FILES)
    for name, _, size in signature[:MAX_FILES]:
        try:
            preset = _read(folder / name, size, read)
        except PresetError as error:
            problems.append(str(error))
        else:
            read[preset.slug] = preset
    presets = _in_order(read.values())
    _last_read.update({preset.slug: preset for preset in presets})
    for slug in list(_last_read)[: -2 * MAX_FILES]:
        del _last_read[slug]
    return presets, tuple(problems)


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
    preset = parse_preset(slug, text, path.suffix[1:])
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
        PresetError: for more than MAX_FILE_BYTES.
    """
    if size > MAX_FILE_BYTES:
        says = f"a lesson has at most {MAX_FILE_BYTES:,} bytes, this one {size:,}."
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
