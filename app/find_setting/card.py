"""The field "Find a setting": any setting by its name, set right there, wherever else on the page it stands.

What is found is a second widget of the setting, with a key of its own. A change of it redraws the whole page, so that
the first one shows it, too. Where the first one is a slider, this one is a field: any number can be typed.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import streamlit as st

from app import chosen_data, controls, partial, state, tab
from app.controls import Control
from app.find_setting import text as find_text
from app.find_setting.entries import Entry, entries
from app.setting_effects import why_no_effect
from engine.experiment import MAY_BE_NONE, RANGES

STYLE = Path(__file__).with_name("style.css")
KINDS = {"scale": "number", "segments": "pick"}
"""The widgets that a setting has here, where they are others than in its section."""


def card() -> None:
    """Draw the field, and below it the setting that was found."""
    offered = entries(control for control in controls.ALL if not control.is_hidden)
    if not offered:
        return
    st.html(STYLE)
    with st.container(key="find", gap="small"):
        st.selectbox(
            find_text.FIND, list(offered), None, format_func=lambda key: offered[key].words, key=partial.FOUND,
            placeholder=find_text.HINT, help=find_text.HELP, icon=":material/search:", on_change=_choose,
            args=(offered,),
        )  # fmt: skip
        chosen = offered.get(tab.load(partial.FOUND) or "")
        if chosen is not None:
            _found(chosen.control)


def _found(control: Control) -> None:
    """The widget of a setting, why it has no effect if it has none, and whether a change restarts the run."""
    widget = f"found_{control.key}"
    tab.store(widget, _typed(control.key, tab.value(control.key)))
    with st.container(key="found", border=True, gap="small"):
        dataclasses.replace(
            control, widget=widget, kind=KINDS.get(control.kind, control.kind), is_folded=False,
            on_change=lambda: _take(control, widget),
        ).draw()  # fmt: skip
        if why := why_no_effect(control.key, chosen_data.value):
            st.caption(find_text.NO_EFFECT.format(why=why))
        limits = [find_text.ACCEPTS.format(limits=RANGES[control.key])] if control.key in RANGES else []
        st.caption(" ".join([*limits, find_text.AT_ONCE if control.is_live else find_text.RESTARTS]))


def _typed(name: str, value: object) -> object:
    """The value as a number field wants it: a whole number, or not."""
    if name not in RANGES or value is None:
        return value
    return value if RANGES[name].whole else float(value)  # type: ignore[arg-type]


def _choose(offered: dict[str, Entry]) -> None:
    """An entry was chosen: one that names a value sets it, and its setting is what was found."""
    chosen = offered.get(tab.load(partial.FOUND) or "")
    if chosen is not None and chosen.value:
        tab.store(partial.FOUND, chosen.control.key)
        if not why_no_effect(chosen.control.key, chosen_data.value):
            _set(chosen.control, chosen.value)
    else:
        state.on_report()


def _take(control: Control, widget: str) -> None:
    """The widget was changed: its setting takes the value; a field that was emptied shows the old one again."""
    value = tab.value(widget)
    if value is not None or control.key in MAY_BE_NONE:
        _set(control, value)


def _set(control: Control, value: object) -> None:
    tab.store(control.key, value)
    if control.is_live:
        state.on_change()  # of a live setting, its own callback would leave the first widget as it was
    else:
        control.on_change()
