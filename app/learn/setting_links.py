"""Prose whose links act: pressed, they set the playground in place; without the script they still lead there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path

import streamlit as st

from app import state
from app.learn import text as learn_text
from engine.preset import Preset

KEY = "pressed_link"
SCRIPT = Path(__file__).with_name("setting_links.js").read_text()


def prose(preset: Preset, name: str) -> None:
    """The lesson's text; `name` tells this place of the page from others."""
    with st.container(key=f"acting_{name}"):
        for part in (preset.explains, preset.text):
            if part.strip():
                st.markdown(learn_text.led(preset, part))


def listen(presets: Collection[Preset], on_press: Callable[[], None] = lambda: None) -> learn_text.Act | None:
    """Hear when a link of these lessons' prose is pressed, and say in this one run of the page which.

    Args:
        on_press: called before the page is drawn anew; `pressed` then says which, so that widgets can still be set.
    """
    component = st.components.v2.component("acting_links", html="<i></i>\n", js=SCRIPT, isolate_styles=False)
    with st.container(key="listening"):
        component(key=KEY, data={}, on_press_change=on_press)
    return pressed(presets)


def pressed(presets: Iterable[Preset]) -> learn_text.Act | None:
    """What the pressed link sets; None unless it is one of these lessons' own, for it comes from the browser."""
    address = state.pressed(KEY).get("link")
    acts = (act for preset in presets for act in learn_text.acts(preset))
    return next((act for act in acts if act.address == address), None) if address else None
