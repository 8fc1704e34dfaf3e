"""A figure that stands in a page, is changed in place and answers to a press; the page's colours are given to it.

For pages whose figures move only when somebody presses something; what moves by itself is the live view's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import plotly.graph_objects as go
import streamlit as st

from app import live
from app.figures.theme import SCALES

HERE = Path(__file__).parent
SCRIPT = "\n".join([live.script("plotly", "theme"), (HERE / "picture.js").read_text()])
STYLE = (HERE / "picture.css").read_text()
MARKUP = '<div class="in-place">\n<div role="figure"></div>\n</div>'


def picture(name: str, figure: go.Figure, *, label: str, on_press: Callable[[], None] | None = None) -> None:
    """Draw it, or change it where it stands.

    Args:
        name: its key in the page, and its `data-figure`.
        label: its text alternative.
        on_press: called when a point of it was pressed; `state.pressed(key(name))` then says which.
    """
    component = st.components.v2.component("picture", html=MARKUP, css=STYLE, js=SCRIPT, isolate_styles=False)
    component(
        key=key(name),
        data={
            "name": name,
            "figure": json.loads(figure.to_json()),
            "label": label,
            "scales": SCALES,
            "plotly": live.PLOTLY_ROUTE,
        },
        on_press_change=on_press or (lambda: None),
    )


def key(name: str) -> str:
    """The component's key in the session."""
    return f"picture_{name}"
