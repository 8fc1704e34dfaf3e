"""The component of the first minute: button, slider, two networks, captions; with its own socket like the live view."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from app.first_minute import text as first_text
from app.first_minute.setup import MAX_WORDS
from app.first_minute.visit import COOKIE
from app.live import assets
from app.race import component as race_view
from app.race.lanes import Race

KEY = "first_minute_view"
HERE = Path(__file__).parent
SCRIPT = "\n".join([assets.script("messages", "cards", "socket"), race_view.SCRIPT, (HERE / "view.js").read_text()])
STYLE = race_view.STYLE + (HERE / "view.css").read_text()
MARKUP = (
    (HERE / "view.html")
    .read_text()
    .replace("{stage}", race_view.STAGE)
    .replace("{words}", first_text.WORDS)
    .replace("{gradient}", first_text.GRADIENT)
    .replace("{most}", str(MAX_WORDS))
)


def view(race: Race, words: int, on_press: Callable[[], None]) -> None:
    """Mount the view of this race; if it is mounted already, it switches to this race in place.

    Args:
        words: in between.
        on_press: called when the button was pressed or the slider moved; see `tab.pressed`.
    """
    component = st.components.v2.component("first_minute", html=MARKUP, css=STYLE, js=SCRIPT, isolate_styles=False)
    component(
        key=KEY,
        data={
            "token": race.token,
            "words": words,
            "lanes": race_view.lanes(race, [first_text.NAMES[name] for name in race.setup.names]),
            "cookie": COOKIE,
        },
        on_press_change=on_press,
    )
