"""The component of the page "Map": the panels, the colour, and the curve of one point, with its own socket."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from app.figures.theme import SCALES
from app.live import assets
from app.map import figures, one_point
from app.map import text as map_text
from app.map.plan import MapPlan
from app.map.registry import Map

KEY = "map_view"
HERE = Path(__file__).parent
SCRIPT = "\n".join(
    [
        assets.script("messages", "plotly", "theme", "table", "save", "cards", "cursor", "plots", "socket"),
        (HERE / "view.js").read_text(),
    ]
)
STYLE = assets.STYLE + (HERE / "view.css").read_text()
MARKUP = (HERE / "view.html").read_text()


def view(shown: Map, on_press: Callable[[], None]) -> Any:
    """Mount the view of this map; if it is mounted already, it switches to this map in place.

    Args:
        on_press: called when a network is to be opened; the value "press" has its number.
    """
    component = st.components.v2.component("map_view", html=MARKUP, css=STYLE, js=SCRIPT, isolate_styles=False)
    plan = shown.plan
    panels = [
        _template(name, title, "", _label(title, plan), figure)
        for name, (title, figure) in figures.templates(plan).items()
    ]
    what = "square" if plan.y else "dot"
    point = _template(one_point.NAME, map_text.ONE, map_text.LOOK_FOR, "Loss over training", one_point.template(plan))
    return component(
        key=KEY,
        data={
            "token": shown.token,
            "figures": [*panels, point | {"over": "point"}],
            "colours": map_text.scales(),
            "colour": shown.colour,
            "legend": map_text.legend(plan),
            "texts": {
                "hover": map_text.HOVER.format(what=what),
                "tap": map_text.TAP.format(what=what),
                "open": map_text.OPEN,
            },
            "squares": plan.y is not None,
            "scales": SCALES,
            "plotly": assets.PLOTLY_ROUTE,
        },
        on_press_change=on_press,
    )


def _label(title: str, plan: MapPlan) -> str:
    up = f", {plan.y.title} up" if plan.y else ""
    return f"{title}: what was learned, by {plan.x.title} across{up}"


def _template(name: str, title: str, look_for: str, label: str, figure: go.Figure) -> dict[str, Any]:
    return {
        "name": name,
        "over": "map",
        "title": title,
        "look_for": look_for,
        "label": label,
        "how": "",
        "fits": [],
        "needs": "",
        "figure": json.loads(figure.to_json()),
    }
