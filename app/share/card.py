"""The button "Share": a link to this experiment, with options, copied by one click."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app import drafts, links, own_data_link, state, tab
from app.hub import RunSlot
from app.share import text as share_text

STYLE = Path(__file__).with_name("style.css").read_text()
SCRIPT = Path(__file__).with_name("copy.js").read_text()
OPEN = "share_open"
OPTIONS = ("share_at", "share_step", "share_present", "share_hide")


def card(slot: RunSlot) -> None:
    """Draw the button; opened, it shows the link as it is then, and its options."""
    folded = st.popover(share_text.SHARE, icon=":material/link:", key=OPEN, on_change="rerun")
    if folded.open:
        with folded, st.container(key="share", width=420):
            _opened(slot)
    else:
        for key in OPTIONS:
            if (chosen := tab.load(key)) is not None:
                tab.store(key, chosen)  # Streamlit forgets the value of a widget that is not drawn


def _opened(slot: RunSlot) -> None:
    """What it shows: the options, and the link with them."""
    st.caption(share_text.ABOUT)
    lesson = state.lesson()
    is_draft = lesson is not None and drafts.is_draft(lesson.slug)
    if is_draft:
        st.caption(share_text.DRAFT)
    at = 0
    if st.checkbox(share_text.AT, key="share_at"):
        if tab.load("share_step") is None:
            tab.store("share_step", max(slot.run.status().step, 1))
        at = st.number_input(share_text.AT_STEP, 1, 1_000_000, key="share_step")
    present = st.checkbox(share_text.FOR_A_PROJECTOR, key="share_present")
    if tab.load("share_hide") is None:
        tab.store("share_hide", list(state.hidden()))
    hide = st.multiselect(
        share_text.HIDE, links.HIDEABLE, format_func=share_text.part, key="share_hide",
        placeholder=share_text.HIDE_NOTHING,
    )  # fmt: skip
    settings = state.share_link(hide, present=present, at=int(at))
    link = share_text.address(st.context.url or "", without_lesson(settings, slot) if is_draft else settings)
    if own_data_link.split(settings)[1] is not None:
        st.caption(share_text.OWN_DATA)
    st.code(link, language=None, wrap_lines=True)
    copy = st.components.v2.component("copy_link", html="<button></button>", css=STYLE, js=SCRIPT)
    words = {"copy": share_text.COPY, "copied": share_text.COPIED, "by_hand": share_text.COPY_BY_HAND}
    copy(key="copy_link", data={"link": link, **words})


def without_lesson(link: dict[str, str], slot: RunSlot) -> dict[str, str]:
    """The same link for those who cannot open its lesson: all settings of the run's first step instead."""
    others = {name: value for name, value in link.items() if name not in (*links.SETTINGS, "preset", "speed")}
    return links.to_link(slot.initial, None, slot.speed) | others
