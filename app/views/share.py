"""The link to this experiment, made to measure and copied with one press."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app import sharing, state
from app.hub import RunSlot

STYLE = (Path(__file__).parents[1] / "share" / "style.css").read_text()
SCRIPT = (Path(__file__).parents[1] / "live" / "copy.js").read_text()


def card(slot: RunSlot) -> None:
    """Opens on a press: at which step it opens, what it hides, and the link."""
    with st.popover(sharing.SHARE, icon=":material/link:"), st.container(key="share", width=420):
        st.caption(sharing.ABOUT)
        at = 0
        if st.checkbox(sharing.AT, key="share_at"):
            step = slot.run.status().step
            at = st.number_input(sharing.AT_STEP, 1, 1_000_000, max(step, 1), key="share_step")
        present = st.checkbox(sharing.FOR_A_ROOM, key="share_present")
        hide = st.multiselect(
            sharing.HIDE, state.HIDEABLE, default=state.hidden(), format_func=sharing.part, key="share_hide",
            placeholder=sharing.HIDE_NOTHING,
        )  # fmt: skip
        link = sharing.address(st.context.url or "", state.shared(hide, present=present, at=int(at)))
        st.code(link, language=None, wrap_lines=True)
        copy = st.components.v2.component("copy_link", html="<button></button>", css=STYLE, js=SCRIPT)
        words = {"copy": sharing.COPY, "copied": sharing.COPIED, "by_hand": sharing.COPY_BY_HAND}
        copy(key="copy_link", data={"link": link, **words})
