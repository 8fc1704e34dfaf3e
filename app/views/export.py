"""The button "Export": everything that this run can be taken away as."""

from __future__ import annotations

from html import escape

import streamlit as st

from app import replaying
from app.hub import RunSlot


def card(slot: RunSlot) -> None:
    """One line for each file: its name is a link that downloads it, beside it what it is good for.

    The links are relative, so that they also hold where the page stands below a path of its own.
    """
    rows = "".join(
        f'<li><a href="live/{escape(slot.token)}/{file}" download>{escape(name)}</a> <span>{escape(said)}</span></li>'
        for file, (name, said) in replaying.FILES.items()
    )
    with st.popover(replaying.EXPORT, icon=":material/download:", key="export"):
        st.html(f'{STYLE}<ul class="exports">{rows}</ul><p class="exports-said">{escape(replaying.EXPORT_SAID)}</p>')


STYLE = """<style>
ul.exports { width: min(30rem, 78vw); margin: 0; padding: 0 !important; list-style: none; }
ul.exports li { margin: 0 0 0.7rem !important; padding: 0; line-height: 1.35; }
ul.exports a { display: block; width: fit-content; font-weight: 600; color: inherit; text-underline-offset: 3px; }
.exports span, .exports-said { font-size: 0.875rem; color: color-mix(in srgb, currentColor 75%, transparent); }
.exports-said { margin: 0; padding-top: 0.6rem; border-top: 1px solid color-mix(in srgb, currentColor 18%, #0000); }
</style>"""
