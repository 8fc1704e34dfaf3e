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
from app.map import figures
from app.map import text as map_text
from app.map.colours import COLOURS
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
LOOK_FOR_CURVE = "Below the dashed line a network is better than a simple answer."


def view(shown: Map, on_press: Callable[[], None]) -> Any:
    """Mount the view of this map; if it is mounted already, it switches to this map in place.

    Args:
        on_press: called when a network is to be opened; the value "press" has its number.
    """
    component = st.components.v2.component("map_view", html=MARKUP, css=STYLE, js=SCRIPT, isolate_styles=False)
    plan, titles = shown.plan, map_text.cell_titles(shown.plan)
    panels = [
        _template(figures.panel_name(cell), titles[cell], "", _label(titles[cell], shown), figures.panel(plan, cell))
        for cell in range(len(plan.cells))
    ]
    curve = _template(figures.CURVE, "One network", LOOK_FOR_CURVE, "Loss over training", figures.curve(plan))
    return component(
        key=KEY,
        data={
            "token": shown.token,
            "figures": [*panels, curve | {"over": "point"}],
            "colours": map_text.scales(),
            "legend": map_text.legend(plan),
            "texts": {"hover": map_text.HOVER, "tap": map_text.TAP, "open": map_text.OPEN},
            "scales": SCALES,
            "plotly": assets.PLOTLY_ROUTE,
        },
        on_press_change=on_press,
    )


def _label(title: str, shown: Map) -> str:
    plan = shown.plan
    up = f", {plan.y.title} up" if plan.y else ""
    return f"{title}: {next(iter(COLOURS.values())).title} by {plan.x.title} across{up}"


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
