"""All lessons there are: the course's in `presets/`, and whatever a teacher has put into a folder of their own.

The teacher's folder is looked at every time, so that a file dropped there is a lesson at once; a file is read again
only when some file there has changed.
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
MOST_FILES, MOST_BYTES = 200, 200_000  # of a teacher's folder, and of one file in it

Signature = tuple[tuple[str, int, int], ...]  # of a folder: name, time of the last change in ns, bytes, of each file

_read_before: dict[str, Preset] = {}
"""Teachers' lessons as last read: whoever has one open keeps it while its file is being changed or has gone."""


def list_presets() -> tuple[Preset, ...]:
    """All lessons in teaching order, then all failure cards in theirs, then what teachers have added."""
    folder = teachers_folder()
    return _together(folder, _signature(folder))


def load_preset(slug: str) -> Preset:
    """One lesson by its slug; a teacher's that has gone or can no longer be read, as it last was.

    Raises:
        PresetError: naming the slugs that exist.
    """
    presets = list_presets()
    for preset in presets:
        if preset.slug == slug:
            return preset
    if slug in _read_before:
        return _read_before[slug]
    raise PresetError(f"There is no preset {slug!r}; there are {', '.join(each.slug for each in presets)}.")


def unreadable() -> tuple[str, ...]:
    """A sentence for every file of the teacher's folder that is no lesson: which, and what is wrong with it."""
    folder = teachers_folder()
    return _theirs(folder, _signature(folder))[1]


def teachers_folder() -> Path:
    """Where teachers put their lessons: PLAYGROUND_LESSONS, or `lessons/` beside `presets/`."""
    return Path(os.environ.get("PLAYGROUND_LESSONS") or ROOT / "lessons")


def _signature(folder: Path) -> Signature:
    """Changes with every file of the folder; empty where there is no folder."""
    try:
        with os.scandir(folder) as found:
            files = [(each.name, each.stat()) for each in found if _is_lesson(each)]
    except OSError:
        return ()
    return tuple(sorted((name, status.st_mtime_ns, status.st_size) for name, status in files))


def _is_lesson(entry: os.DirEntry[str]) -> bool:
    name, _, form = entry.name.rpartition(".")
    return form in FORMS and name.lower() != "readme" and not name.startswith(".") and entry.is_file()


@cache
def _ours() -> tuple[Preset, ...]:
    paths = [path for form in FORMS for path in FOLDER.glob(f"*.{form}")]
    presets = (parse_preset(path.stem, path.read_text(encoding="utf-8"), path.suffix[1:]) for path in paths)
    return tuple(sorted(presets, key=lambda preset: (KINDS.index(preset.kind), preset.order)))


@lru_cache(maxsize=4)
def _together(folder: Path, signature: Signature) -> tuple[Preset, ...]:
    return _ours() + _theirs(folder, signature)[0]


@lru_cache(maxsize=4)
def _theirs(folder: Path, signature: Signature) -> tuple[tuple[Preset, ...], tuple[str, ...]]:
    """The teacher's lessons in order, and what is wrong with the other files."""
    read: dict[str, Preset] = {}
    problems = [f"Only the first {MOST_FILES} of {len(signature)} files are read."] * (len(signature) > MOST_FILES)
    for name, _, size in signature[:MOST_FILES]:
        try:
            preset = _read(folder / name, size, read)
        except PresetError as error:
            problems.append(str(error))
        else:
            read[preset.slug] = preset
    presets = _in_order(read.values())
    _read_before.update({preset.slug: preset for preset in presets})
    for slug in list(_read_before)[: -2 * MOST_FILES]:
        del _read_before[slug]
    return presets, tuple(problems)


def _read(path: Path, size: int, others: dict[str, Preset]) -> Preset:
    slug, file = path.stem, path.name
    if not NAME.fullmatch(slug):
        raise PresetError(f"{file}: the name must be small letters, digits and single hyphens, as in my-lesson.md.")
    if slug in {preset.slug for preset in _ours()}:
        raise PresetError(f"{file}: the course has a lesson called {slug} already; give the file another name.")
    if slug in others:
        raise PresetError(f"{file}: {others[slug].file} is called {slug} already; give one of them another name.")
    if size > MOST_BYTES:
        raise PresetError(f"{file}: a lesson has at most {MOST_BYTES:,} bytes, this one {size:,}.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise PresetError(f"{file} cannot be read: {why}.") from error
    preset = parse_preset(slug, text, path.suffix[1:])
    if any(claim.gate != "shown" for claim in preset.claims):
        raise PresetError(f"{file}, claims: nothing measures a lesson of this folder, so gate must be shown.")
    return replace(preset, file=file)


def _in_order(presets: Iterable[Preset]) -> tuple[Preset, ...]:
    """Lessons before failure cards, chapters by their first lesson, each kind numbered from 1 on."""
    first: dict[str, int] = {}
    for preset in presets:
        first[preset.chapter] = min(preset.order, first.get(preset.chapter, preset.order))
    found: list[Preset] = []
    for kind in KINDS:
        those = [preset for preset in presets if preset.kind == kind]
        those.sort(key=lambda each: (first[each.chapter], each.chapter, each.order, each.slug))
        found += [replace(preset, order=number) for number, preset in enumerate(those, 1)]
    return tuple(found)
