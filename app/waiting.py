"""Waiting on a page for what a run was asked."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.workers import Run
from engine.workers.protocol import RequestKind

POLL = 0.2  # seconds between two looks


def wait_for(run: Run, kind: RequestKind[Any], says: str) -> None:
    """Show a message as long as the run owes an answer of this kind; then the page is drawn again."""
    if run.is_pending(kind):
        st.fragment(_watch, run_every=POLL)(run, kind, says)


def _watch(run: Run, kind: RequestKind[Any], says: str) -> None:
    st.caption(says)
    if not run.is_pending(kind):
        st.rerun()  # the whole page: a fragment cannot draw the one around it
