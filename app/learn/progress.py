"""The lessons done and the predictions made. Lessons done are remembered per browser until the server restarts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import streamlit as st

MAX_BROWSERS, MAX_LESSONS = 5000, 500


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
        done: the slugs of the lessons done in this session.
        redraw: whether the next check must redraw the whole page.
    """

    guesses: dict[tuple[str, int], Guess] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    redraw: bool = False


@st.cache_resource(scope="session", show_spinner=False)
def learn_state() -> LearnState:
    """The state of this session."""
    return LearnState()


def done() -> Collection[str]:
    """The slugs that this browser has done, or this session if the browser has no cookie."""
    return PROGRESS.of(_browser()) | learn_state().done


def finish(slug: str) -> None:
    """Note that this lesson was done."""
    learn_state().done.add(slug)
    if _browser():
        PROGRESS.add(_browser(), slug)


def _browser() -> str:
    """The browser's cookie, which the server sets with the first page."""
    return st.context.cookies.get("playground", "")
