"""The state of a tab's page "Compare": its setup, the refused parts of its link, its race, and its last link."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app import state, tab, text
from app.compare import plan as race_plan
from app.compare.plan import RaceSetup
from app.compare.registry import RACES
from app.race.registry import RaceSlot
from engine.experiment import ExperimentError

SETUP, REFUSED, CHANGING, LINK, SLOT = "_race_plan", "_race_refused", "_race_changing", "_race_link", "_race_stall"


def setup() -> RaceSetup:
    """The race's setup: from the link if it differs from the last written one, else as it was left."""
    link, changing = state.link(), tab.load(CHANGING)
    tab.store(CHANGING, False)
    if tab.load(SETUP) is None or (link and not changing and link != tab.load(LINK)):
        problems: list[str] = []
        tab.store(SETUP, race_plan.from_link(link, problems))
        tab.store(REFUSED, problems)
    return tab.load(SETUP)


def refused() -> list[str]:
    """What was wrong with the link or with the last change, in sentences."""
    return tab.load(REFUSED)


def on_change(change: Callable[[], RaceSetup]) -> None:
    """A widget's callback: change the setup; if the change is invalid, report it and keep the setup."""
    tab.store(CHANGING, True)
    tab.store(REFUSED, [])
    try:
        tab.store(SETUP, change())
    except ExperimentError as error:
        tab.store(REFUSED, [text.does_not_fit(error.field, error.accepts, error.got)])


@st.cache_resource(scope="session", on_release=RACES.release, show_spinner=False)
def _attached(_owner: str, _setup: RaceSetup, _slot: RaceSlot | None) -> RaceSlot:
    """Called once per session; a dropped connection clears it, and a reconnect acquires the same slot again."""
    return RACES.attach(_owner, _setup, _slot)


def slot(requested: RaceSetup) -> RaceSlot:
    """This tab's slot, after making its race one of this setup."""
    current = _attached(st.context.cookies.get("playground", ""), requested, tab.load(SLOT))
    tab.store(SLOT, current)
    current.enter(requested)
    return current


def write_link(raced: RaceSetup) -> None:
    """Write the whole race into the page's address."""
    tab.write_link(LINK, race_plan.to_link(raced))
