"""A figure that stands in a page, is changed in place and answers to a press; the page's colours are given to it.

For pages whose figures move only when somebody presses something; what moves by itself is the live view's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import plotly.graph_objects as go
import streamlit as st

from app import live
from app.figures.theme import SCALES
from app.live.assets import PLOTLY_ROUTE

HERE = Path(__file__).parent
SCRIPT = "\n".join([live.script("plotly", "theme"), (HERE / "component.js").read_text()])
STYLE = (HERE / "component.css").read_text()
MARKUP = '<div class="in-place">\n<div role="figure"></div>\n</div>'


@dataclass(frozen=True)
class Uncover:
    """A part of a figure that comes in from one side; for whoever wants less motion it is there at once.

    Args:
        once: it is uncovered when this changes.
        side: "left" or "right", where it begins. steps: in how many. seconds: in all.
        subplots: which part, by Plotly's names, as "x2y2".
    """

    once: str
    side: str
    steps: int
    seconds: float
    subplots: tuple[str, ...]


def picture(
    name: str,
    figure: go.Figure,
    *,
    label: str,
    on_press: Callable[[], None] | None = None,
    uncover: Uncover | None = None,
) -> None:
    """Draw it, or change it where it stands.

    Args:
        name: its key in the page, and its `data-figure`.
        label: its text alternative.
        on_press: called when a point of it was pressed; `state.pressed(key(name))` then says which.
        uncover: what comes in from one side.
    """
    component = st.components.v2.component("picture", html=MARKUP, css=STYLE, js=SCRIPT, isolate_styles=False)
    component(
        key=key(name),
        data={
            "name": name,
            "figure": json.loads(figure.to_json()),
            "label": label,
            "scales": SCALES,
            "plotly": PLOTLY_ROUTE,
            "uncover": None if uncover is None else asdict(uncover),
        },
        on_press_change=on_press or (lambda: None),
    )


def key(name: str) -> str:
    """The component's key in the session."""
    return f"picture_{name}"
