"""A figure in a page that is updated in place and can be clicked; it takes the colours of the page.

For pages whose figures change only after a click or a key; figures that change by themselves are in the live view.
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
    """An animation that reveals a part of a figure from one side; with "reduced motion" it is shown at once.

    Args:
        once: the animation starts when this value changes.
        side: where it begins, "left" or "right".
        steps: the number of its steps.
        seconds: its duration.
        subplots: the part to reveal, by Plotly's names, such as "x2y2".
    """

    once: str
    side: str
    steps: int
    seconds: float
    subplots: tuple[str, ...]


def clickable_figure(
    name: str,
    figure: go.Figure,
    *,
    label: str,
    on_press: Callable[[], None] | None = None,
    uncover: Uncover | None = None,
) -> None:
    """Draw a figure, or update it in place.

    Args:
        name: its key in the page, and its `data-figure`.
        figure: what to draw.
        label: its text alternative.
        on_press: called when a point was clicked; `tab.pressed(component_key(name))` is then this point.
        uncover: the part to reveal from one side.
    """
    component = st.components.v2.component("picture", html=MARKUP, css=STYLE, js=SCRIPT, isolate_styles=False)
    component(
        key=component_key(name),
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


def component_key(name: str) -> str:
    """The component's key in the session."""
    return f"picture_{name}"
