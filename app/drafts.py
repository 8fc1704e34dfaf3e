"""Drafts: the lessons that are being written in the browser. Each is a lesson for its author alone.

They are kept in the server's memory by the cookie that says whose browser it is, so that a reload and a second tab find
them; without that cookie, for the tab alone. `load_preset` is the library's, with the drafts of the visitor who asks.
"""

from __future__ import annotations

import itertools
import re
import secrets
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from app import tab
from engine.preset import (
    Preset,
    PresetError,
    check_table,
    library,
    list_presets,
    published_data,
    read_table,
    write_table,
)

PREFIX = "draft-"
MAX_PER_BROWSER, MAX_DRAFTS = 8, 400
"""Drafts kept of one browser, and of all; what was not changed for longest is forgotten first."""
UNNAMED = "my-lesson"
REFUSED = (
    "The link opens {got}, the draft of a lesson, which only its author's browser can open. Shown instead: {shown}."
)
SHOWN, TRIED = "_draft", "_tried_draft"  # names in the tab's storage

Place = tuple[str | int, ...]


@dataclass(eq=False)
class Draft:
    """A lesson as far as it is written.

    Args:
        table: its settings, as a file has them; a field that is empty is not there.
        name: the file's name without suffix, if somebody has chosen one.
        raw: the file as somebody has typed it, while it cannot be read.
        unread: what was typed into a field and cannot stand in a file: by place, the text and what is wrong.
        id: says which draft it is.
        version: counts how often it was replaced as a whole; fields of an earlier version are drawn anew.
        changed: a number that is higher, the later it was changed; 0 for never.
        lesson: what it last was when nothing was wrong; None if it never was.
        problems: what is wrong with it now.
    """

    table: dict[str, Any]
    name: str = ""
    raw: str = ""
    unread: dict[Place, tuple[str, str]] = field(default_factory=dict)
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    version: int = 0
    changed: int = 0
    lesson: Preset | None = None
    problems: list[PresetError] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.check()

    @property
    def slug(self) -> str:
        """Its name in a link, for its author."""
        return PREFIX + self.id

    @property
    def file(self) -> str:
        """The name of its file: chosen, or made from the title."""
        return f"{self.name or self.usual_name}.md"

    @property
    def usual_name(self) -> str:
        """The name that is made from the title."""
        title = self.table.get("title", "")
        words = re.findall(r"[a-z0-9]+", title.lower()) if isinstance(title, str) else []
        return "-".join(words)[:60].strip("-") or UNNAMED

    @property
    def text(self) -> str:
        """The file."""
        return write_table(self.table)

    def check(self) -> None:
        """Check it as a file in the teacher's folder is checked, and keep it as a lesson if nothing is wrong."""
        lesson, self.problems = check_table(self.file, self.table, published_data)
        self.problems = [each for each in self.problems if each.place not in self.unread]
        self.problems += [PresetError(says, place=place) for place, (_, says) in self.unread.items()]
        checks = [lambda: library.check_name(self.file), lambda: library.check_size(self.file, len(self.text.encode()))]
        if lesson is not None:
            checks.append(lambda: library.check_claims(self.file, lesson))
        for check in checks:
            try:
                check()
            except PresetError as error:
                self.problems.append(error)
        if lesson is not None and not self.problems:
            self.lesson = replace(lesson, slug=self.slug, file=self.file)

    def begin(self, table: dict[str, Any], name: str = "") -> None:
        """Replace it as a whole."""
        self.table, self.name, self.raw = table, name, ""
        self.unread.clear()
        self.version += 1
        self.lesson = None
        self.check()

    def read(self, text: str) -> None:
        """Read it from a file's text; what cannot be shown in a form is kept as text, and everything else as it was.

        Raises:
            PresetError: for text that is no file of a lesson, or has unknown keys or values of a wrong type.
        """
        self.raw = text
        table = read_table(self.file, text)
        for problem in check_table(self.file, table)[1]:
            if problem.is_shape:
                raise problem
        self.table, self.raw = table, ""
        self.unread.clear()
        self.version += 1
        self.check()


class Drafts:
    """The drafts of every browser."""

    def __init__(self) -> None:
        self._of: dict[str, dict[str, Draft]] = {}
        self._count = itertools.count(1)

    def of(self, browser: str) -> dict[str, Draft]:
        """The drafts of a browser by their ids. Without a cookie that says which it is: those of the tab."""
        if browser:
            return self._of.get(browser, {})
        return tab.load("_drafts") or {}

    def keep(self, browser: str, draft: Draft) -> None:
        """Note that a draft was changed, and forget those that were not for longest."""
        draft.changed = next(self._count)
        mine = {**self.of(browser), draft.id: draft}
        newest = sorted(mine.values(), key=lambda each: -each.changed)[:MAX_PER_BROWSER]
        kept = {each.id: each for each in newest}
        if not browser:
            tab.store("_drafts", kept)
            return
        self._of[browser] = kept
        every = [(each, whose) for whose, own in self._of.items() for each in own.values()]
        every.sort(key=lambda entry: entry[0].changed)
        for oldest, whose in every[:-MAX_DRAFTS]:
            self._of[whose].pop(oldest.id)
            if not self._of[whose]:
                del self._of[whose]

    def forget(self, browser: str, draft: Draft) -> None:
        """Forget a draft."""
        self.of(browser).pop(draft.id, None)


DRAFTS = Drafts()


def mine() -> list[Draft]:
    """This visitor's drafts, the newest first."""
    return sorted(DRAFTS.of(browser()).values(), key=lambda draft: -draft.changed)


def keep(draft: Draft) -> None:
    """Note that this visitor has changed a draft."""
    DRAFTS.keep(browser(), draft)


def browser() -> str:
    """The cookie that says which browser this is; the server sets it with the first page."""
    return st.context.cookies.get("playground", "")


def is_draft(slug: str) -> bool:
    """True for the slug of a draft, whoever its author is."""
    return slug.startswith(PREFIX) and slug not in [preset.slug for preset in list_presets()]


def exists(slug: str) -> bool:
    """True for a lesson that this visitor can open: one that all have, or a draft of theirs that was ever right."""
    return slug in [preset.slug for preset in list_presets()] or _draft_lesson(slug) is not None


def load_preset(slug: str) -> Preset:
    """A lesson by its slug, this visitor's drafts included. One that is forgotten stays open in the tab that has it.

    Raises:
        PresetError: naming the slugs that exist.
    """
    lesson = _draft_lesson(slug) if is_draft(slug) else None
    return library.load_preset(slug) if lesson is None else lesson


def _draft_lesson(slug: str) -> Preset | None:
    """The lesson that a draft was when it was last right; None if it never was, or is somebody else's."""
    if not slug.startswith(PREFIX):
        return None
    shown: Draft | None = tab.load(SHOWN)
    every = [*([shown] if shown is not None else []), *mine()]
    lesson = next((draft.lesson for draft in every if draft.slug == slug), None)
    if lesson is None:
        tried: Preset | None = tab.load(TRIED)
        return tried if tried is not None and tried.slug == slug else None
    tab.store(TRIED, lesson)
    return lesson
