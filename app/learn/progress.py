"""What was done and what was guessed. Done is remembered browser by browser until the server restarts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import streamlit as st

MAX_BROWSERS, MAX_LESSONS = 5000, 500


class Progress:
    """Which lessons each browser has done; the browser that was heard of longest ago is forgotten first."""

    def __init__(self, most: int = MAX_BROWSERS) -> None:
        self.most = most
        self._done: dict[str, frozenset[str]] = {}

    def of(self, browser: str) -> frozenset[str]:
        """The slugs that it has done."""
        return self._done.get(browser, frozenset())

    def add(self, browser: str, slug: str) -> None:
        """It has done this one."""
        done = self._done.pop(browser, frozenset())
        self._done[browser] = done | {slug} if len(done) < MAX_LESSONS else done
        for longest_ago in list(self._done)[: -self.most]:
            self._done.pop(longest_ago, None)


PROGRESS = Progress()


@dataclass
class Guess:
    """An answer that was given to a prediction.

    Args:
        answer: which, from 0 on. before: the token of the run at that moment; the next one is the run that answers.
        started: that run was set going. came: what it showed, in a sentence; empty until it has.
    """

    answer: int
    before: str
    started: bool = False
    came: str = ""


@dataclass
class LearnState:
    """What one session remembers: guesses by lesson and number of the question, and what was done in it.

    `redraw`: something new is to be shown by the whole page at the next look.
    """

    guesses: dict[tuple[str, int], Guess] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    redraw: bool = False


@st.cache_resource(scope="session", show_spinner=False)
def learn_state() -> LearnState:
    """Of this session."""
    return LearnState()


def done() -> Collection[str]:
    """The slugs of everything that this browser, or this session where the browser has no name, has done."""
    return PROGRESS.of(_browser()) | learn_state().done


def finish(slug: str) -> None:
    """This lesson was done."""
    learn_state().done.add(slug)
    if _browser():
        PROGRESS.add(_browser(), slug)


def _browser() -> str:
    """The name that the server gave to this browser with its first page."""
    return st.context.cookies.get("playground", "")
