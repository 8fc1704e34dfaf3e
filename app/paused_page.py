"""What the pages beside the playground share that look into its run while it stands still."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from app import state
from app.hub import RunSlot

POLL = 0.15  # seconds between two looks for what was asked of the run


def begin(style: Path) -> RunSlot:
    """Enter such a page: the playground's slot, or the one that the link says, held while the page is shown."""
    slot = state.present_slot()
    state.leave()
    state.keep_link()
    st.html(style)
    if not slot.paused:
        slot.pause()
    return slot


def wait(waiting: Callable[[], bool], message: str) -> None:
    """Say what is waited for; when it is there, the page is drawn anew without this."""
    st.fragment(_watch, run_every=POLL)(waiting, message)


def _watch(waiting: Callable[[], bool], message: str) -> None:
    st.caption(message)
    if not waiting():
        st.rerun()  # the whole page: a fragment cannot draw the one around it
