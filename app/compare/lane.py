"""One lane of the page "Compare": its cell and units, and behind "More" any other setting, found by its name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from app import setting_help, state, tab
from app.compare import ownership, widgets
from app.compare import text as compare_text
from app.compare.plan import MIN_LANES, SHARED, RaceSetup
from app.compare.widgets import CONTROLS
from app.figures.compare.catalogue import LANES
from app.find_setting import text as find_text
from app.find_setting.entries import Entry, entries
from app.race.lanes import LETTERS
from app.setting_effects import has_effect, why_no_effect

MORE_SETTINGS = ("num_layers", "forget_bias", "init", "optimizer", "learning_rate", "clip", "clip_threshold")
"""A lane's settings behind "More" that are always there; all others are found by their names."""
WIDTHS: dict[str, Any] = {"cell": "stretch", "hidden_size": 118}
"""A lane's other settings, and the widths of their lists."""


def draw(setup: RaceSetup, lane: int) -> None:
    """Letter, cell and units; the rest behind "More"; settings that differ from the lesson as chips."""
    e, letter, change = setup.lanes[lane], LETTERS[lane], partial(setup.change, lane)
    with st.container(key=f"race_lane_{letter.lower()}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(f'<b class="race-letter" style="--lane: {LANES[lane].colour}">{letter}</b>', width="content")
            for name, width in WIDTHS.items():
                label = compare_text.LABELS[name].format(letter=letter)
                widgets.setting(f"race_{letter}_{name}", name, e, change, label, width)
            with st.popover(compare_text.MORE, key=f"race_more_{letter}"):
                _more(setup, lane, _find(letter, change))
                if (playground := state.playground_slot()) is not None:
                    st.button(compare_text.TAKE, key=f"race_take_{letter}", on_click=ownership.on_change,
                              args=(lambda: setup.take(lane, playground.experiment),))  # fmt: skip
                if len(setup.lanes) > MIN_LANES:
                    st.button(compare_text.REMOVE, key=f"race_remove_{letter}", icon=":material/close:",
                              on_click=ownership.on_change, args=(lambda: setup.remove(lane),))  # fmt: skip
        said = {*SHARED, *({"seq_len", "seed", "optimizer", "batch_size", "tbptt"} & set(setup.common))}
        if any(chips := [compare_text.chips(network, setup.usual, tuple(said)) for network in setup.lanes]):
            st.markdown(" ".join(f":blue-badge[{chip}]" for chip in chips[lane]) or "&nbsp;")


def _more(setup: RaceSetup, lane: int, found: str) -> None:
    """A lane's further settings: the one that was found, what differs from lane to lane, and the usual ones."""
    e, letter = setup.lanes[lane], LETTERS[lane]
    if found and (why := why_no_effect(found, partial(getattr, e))):
        st.caption(f"{setting_help.LABELS[found]}: {find_text.NO_EFFECT.format(why=why)}")
    elif found:
        widgets.typed(f"race_{letter}_found_{found}", found, e, partial(setup.change, lane))
    differing = [name for name in CONTROLS if name not in setup.common]
    for name in dict.fromkeys([*differing, *MORE_SETTINGS]):
        if name not in (found, *WIDTHS) and has_effect(name, partial(getattr, e)):
            widgets.setting(f"race_{letter}_{name}", name, e, partial(setup.change, lane))


def _find(letter: str, change: Callable[..., RaceSetup]) -> str:
    """Draw a lane's field "Find a setting". Returns the name of the setting that was found; "" without one."""
    key, offered = f"race_find_{letter}", entries(CONTROLS.values())
    st.selectbox(
        find_text.FIND, list(offered), None, format_func=lambda each: offered[each].words, key=key,
        placeholder=find_text.HINT, icon=":material/search:", on_change=_take, args=(key, offered, change),
    )  # fmt: skip
    found = offered.get(tab.load(key) or "")
    return "" if found is None else found.control.key


def _take(key: str, offered: dict[str, Entry], change: Callable[..., RaceSetup]) -> None:
    """An entry was chosen: one that names a value sets it in this lane, and its setting is what was found."""
    found = offered.get(tab.load(key) or "")
    if found is not None and found.value:
        tab.store(key, found.control.key)
        ownership.on_change(lambda: change(**{found.control.key: found.value}))
