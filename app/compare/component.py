"""The component of the page "Compare": one view of all lanes, with its own socket like the live view."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.figures.compare.catalogue import applicable
from app.figures.theme import SCALES
from app.live import assets
from app.race import component as race_view
from app.race.figures import tabs, templates
from app.race.lanes import Race

KEY = "race"
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
    infos, names = [lane.run.info for lane in race.lanes], [f"{lane.letter} · {lane.name}" for lane in race.lanes]
    figures = applicable(infos)
    component(
        key=KEY,
        data={
            "token": race.token,
            "lanes": race_view.lanes(race, names),
            "figures": templates(figures, infos, names),
            "tabs": tabs(figures),
            "scales": SCALES,
            "plotly": assets.PLOTLY_ROUTE,
        },
    )
