"""The component of a watched training: verdict, figures and stage of one module, with a socket of its own."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app import text
from app.figures.theme import SCALES
from app.live import assets
from app.stage.bundle import bundle
from app.watched import text as watched_text
from app.watched.registry import WatchedSlot

KEY = "watched_view"
HERE = Path(__file__).parent
SCRIPT = "\n".join(
    [
        assets.script("messages", "plotly", "theme", "table", "save", "cards", "cursor", "plots"),
        assets.script("chains", "tabs", "timeline", "socket"),
        bundle("board.js"),
        (HERE / "view.js").read_text(),
    ]
)  # fmt: skip
STYLE = assets.LIVE_STYLE + (HERE / "view.css").read_text()
MARKUP = assets.markup(
    HERE / "view.html",
    {
        "module": watched_text.MODULE,
        "step": watched_text.STEP,
        "timeline_of": "Looks of this recording",
        "timeline_step": "Backward pass",
        "timeline_newest": "newest",
    },
)


def view(slot: WatchedSlot) -> None:
    """Mount the view of this recording; if it is mounted already, it switches to this one in place."""
    component = st.components.v2.component("watched", html=MARKUP, css=STYLE, js=SCRIPT, isolate_styles=False)
    component(
        key=KEY,
        data={
            "token": slot.token,
            "scales": SCALES,
            "plotly": assets.PLOTLY_ROUTE,
            "show": text.LAYER_SHOWN,
        },
    )
