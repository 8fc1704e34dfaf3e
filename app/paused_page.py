"""Shared by the pages that inspect the playground's run while it is paused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from app import state
from app.hub import RunSlot

POLL = 0.15  # seconds between two checks for a result of the run


def begin(style: Path) -> RunSlot:
    """Enter such a page: pause the run of the playground, or of the link, and return its slot."""
    slot = state.current_slot()
    state.leave()
    state.keep_link()
    st.html(style)
    if not slot.paused:
        slot.pause()
    return slot


def wait(is_pending: Callable[[], bool], message: str) -> None:
    """Show a message as long as something is pending, then draw the page again."""
    st.fragment(_watch, run_every=POLL)(is_pending, message)


def _watch(is_pending: Callable[[], bool], message: str) -> None:
    st.caption(message)
    if not is_pending():
        st.rerun()  # the whole page: a fragment cannot draw the one around it
