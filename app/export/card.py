"""The button "Export": all files of this run."""

from __future__ import annotations

from html import escape
from pathlib import Path

import streamlit as st

from app.hub import RunSlot
from app.replay import player
from engine.codegen.own.data import file_of

STYLE = Path(__file__).with_name("style.css").read_text()


def card(slot: RunSlot) -> None:
    """Draw a line for each file: a link that downloads it, and its use.

    The links are relative, so that they also work if the page is served below a path.
    """
    read = file_of(slot.run.info.experiment)
    more = {} if read is None else {"script.py": f" {player.SCRIPT_READS.format(file=read)}"}
    rows = "".join(
        f'<li><a href="live/{escape(slot.token)}/{file}" download>{escape(name)}</a> '
        f"<span>{escape(use + more.get(file, ''))}</span></li>"
        for file, (name, use) in player.FILES.items()
    )
    with st.popover(player.EXPORT, icon=":material/download:", key="export"):
        about = f'<p class="exports-said">{escape(player.EXPORT_NOTE)}</p>'
        st.html(f'<style>\n{STYLE}</style><ul class="exports">{rows}</ul>{about}')
