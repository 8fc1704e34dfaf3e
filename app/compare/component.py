"""The component of the page "Compare": one view of all lanes, with its own socket like the live view."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import streamlit as st

from app.figures.base import GRADIENT, LEARNING
from app.figures.compare.catalogue import applicable
from app.figures.theme import SCALES
from app.live import assets
from app.race import component as race_view
from app.race.lanes import Race

KEY = "race"
NUMBERS = "In numbers"
HERE = Path(__file__).parent
SCRIPT = "\n".join(
    [
        assets.script("messages", "plotly", "theme", "table", "save", "cards", "cursor", "plots", "tabs", "socket"),
        race_view.SCRIPT,
        (HERE / "live_view.js").read_text(),
    ]
)
STYLE = race_view.STYLE + (HERE / "live_view.css").read_text()
MARKUP = (HERE / "live_view.html").read_text().replace("{stage}", race_view.STAGE)


def view(race: Race) -> None:
    """Mount the view of this race; if it is mounted already, it switches to this race in place."""
    component = st.components.v2.component("race_view", html=MARKUP, css=STYLE, js=SCRIPT, isolate_styles=False)
    component(
        key=KEY,
        data={
            "token": race.token,
            "lanes": race_view.lanes(race, [f"{lane.letter} · {lane.name}" for lane in race.lanes]),
            "figures": templates(race),
            "tabs": tabs(race),
            "scales": SCALES,
            "plotly": assets.PLOTLY_ROUTE,
        },
    )


def tabs(race: Race) -> list[dict[str, Any]]:
    """The figures in tabs, and the table in a last one of its own."""
    here = applicable([lane.run.info for lane in race.lanes])
    found = [(tab, [name for name, figure in here.items() if figure.tab == tab]) for tab in (LEARNING, GRADIENT)]
    return [{"name": name, "figures": figures} for name, figures in [*found, (NUMBERS, [])]]


def templates(race: Race) -> list[dict[str, Any]]:
    """The figures of a race without data, as JSON values: what the browser draws before the first frames."""
    infos = [lane.run.info for lane in race.lanes]
    names = [f"{lane.letter} · {lane.name}" for lane in race.lanes]
    return [
        {
            "name": name,
            "over": figure.over,
            "title": figure.title,
            "look_for": figure.look_for,
            "label": figure.label,
            "how": figure.how,
            "fits": figure.fits,
            "needs": "",
            "figure": json.loads(figure.template(infos, names).to_json()),
        }
        for name, figure in applicable(infos).items()
    ]
