"""The lessons done and the predictions made.

Which lessons were done is kept in a cookie of the browser, their names and nothing else, so that it survives a restart
of the server. A session reads its cookies once, when it opens: what several tabs of one browser do in the meantime is
shared in the server's memory.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from app import drafts

MAX_BROWSERS, MAX_LESSONS = 5000, 500
COOKIE, BETWEEN = "lessons_done", "."
"""The cookie, as keep_progress.js writes it: slugs with a full stop between them."""
SLUG = re.compile(r"[a-z0-9-]{1,80}")
SCRIPT = Path(__file__).with_name("keep_progress.js").read_text()


class Progress:
    """The lessons that each browser has done; the browser that was inactive for longest is forgotten first."""

    def __init__(self, max_browsers: int = MAX_BROWSERS) -> None:
        self.max_browsers = max_browsers
        self._done: dict[str, frozenset[str]] = {}

    def of(self, browser: str) -> frozenset[str]:
        """The slugs that a browser has done."""
        return self._done.get(browser, frozenset())

    def add(self, browser: str, slug: str) -> None:
        """Note that a browser has done a lesson."""
        done = self._done.pop(browser, frozenset())
        self._done[browser] = done | {slug} if len(done) < MAX_LESSONS else done
        for oldest in list(self._done)[: -self.max_browsers]:
            self._done.pop(oldest, None)

    def remove(self, browser: str, slug: str) -> None:
        """Forget that a browser has done a lesson."""
        if slug in self.of(browser):
            self._done[browser] -= {slug}

    def forget(self, browser: str) -> None:
        """Forget what a browser has done."""
        self._done.pop(browser, None)


PROGRESS = Progress()


@dataclass
class Guess:
    """The user's answer to a prediction.

    Args:
        answer: its index, from 0.
        before: the token of the run at that moment; the next run is the one that shows the right answer.
        started: whether that run was started.
        result: what that run showed, in a sentence; empty until then.
    """

    answer: int
    before: str
    started: bool = False
    result: str = ""


@dataclass
class LearnState:
    """The learning state of one session.

    Args:
        guesses: by slug and number of the question.
        done: the slugs of the lessons done in this session, of a browser without the cookie that says which it is.
        cookie_read: whether the lessons in the browser's cookie are among those done.
        forgotten: how many times the user has asked to forget all lessons done.
    """

    guesses: dict[tuple[str, int], Guess] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    cookie_read: bool = False
    forgotten: int = 0


@st.cache_resource(scope="session", show_spinner=False)
def learn_state() -> LearnState:
    """The state of this session."""
    return LearnState()


def done() -> Collection[str]:
    """The slugs that this browser has done."""
    now = learn_state()
    if not now.cookie_read:
        now.cookie_read = True
        for slug in _kept():
            finish(slug)
    return PROGRESS.of(_browser()) | now.done


def finish(slug: str) -> None:
    """Note that this lesson was done."""
    if _browser():
        PROGRESS.add(_browser(), slug)
    else:
        learn_state().done.add(slug)


def forget() -> None:
    """Forget all lessons done; the next `keep` clears the cookie as well."""
    PROGRESS.forget(_browser())
    learn_state().done.clear()
    learn_state().forgotten += 1


def forget_lesson(slug: str) -> None:
    """Forget one lesson, the answers to its questions included: it is one that has changed."""
    now = learn_state()
    now.done.discard(slug)
    PROGRESS.remove(_browser(), slug)
    now.guesses = {key: guess for key, guess in now.guesses.items() if key[0] != slug}


def keep() -> None:
    """Have the browser write the lessons done into its cookie; what another tab has written there stays."""
    names, forgotten = sorted(slug for slug in done() if not drafts.is_draft(slug)), learn_state().forgotten
    if not names and not forgotten:
        return  # there is nothing to write
    component = st.components.v2.component("keep_progress", html="<i></i>\n", js=SCRIPT, isolate_styles=False)
    with st.container(key="keeping"):
        component(key="keep_progress", data={"done": names, "forgotten": forgotten})


def _browser() -> str:
    """The cookie that says which browser this is; the server sets it with the first page."""
    return st.context.cookies.get("playground", "")


def _kept() -> list[str]:
    """The slugs in the browser's cookie. It comes from the browser, so it is checked."""
    slugs = st.context.cookies.get(COOKIE, "").split(BETWEEN)
    return [slug for slug in slugs if SLUG.fullmatch(slug)][:MAX_LESSONS]
