"""Markdown whose links change settings: a click changes the playground in place; without JavaScript it opens it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path

import streamlit as st

from app import tab
from app.learn import text as learn_text
from engine.preset import Preset

KEY = "pressed_link"
SCRIPT = Path(__file__).with_name("setting_links.js").read_text()


def prose(preset: Preset, name: str) -> None:
    """Draw the lesson's text; `name` makes the container's key unique on the page."""
    with st.container(key=f"acting_{name}"):
        for part in (preset.explains, preset.text):
            if part.strip():
                st.markdown(learn_text.with_links(preset, part))


def listen(presets: Collection[Preset], on_press: Callable[[], None] = lambda: None) -> learn_text.SettingLink | None:
    """Watch for clicks on the links in these lessons' texts.

    Args:
        presets: the lessons whose links count.
        on_press: called before the page is drawn again, so that it can still set widgets; it calls `pressed`.

    Returns:
        The link that was clicked, in the one run of the page that follows the click.
    """
    component = st.components.v2.component("acting_links", html="<i></i>\n", js=SCRIPT, isolate_styles=False)
    with st.container(key="listening"):
        component(key=KEY, data={}, on_press_change=on_press)
    return pressed(presets)


def pressed(presets: Iterable[Preset]) -> learn_text.SettingLink | None:
    """The clicked link; None unless it is one of these lessons', since it comes from the browser."""
    address = tab.pressed(KEY).get("link")
    known = (link for preset in presets for link in learn_text.setting_links_of(preset))
    return next((link for link in known if link.address == address), None) if address else None
