"""What a tab's page "Compare" remembers: its setup, what was refused, its race, and the link that was written last."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app import state, text
from app.compare import plan as race_plan
from app.compare.plan import RaceSetup
from app.compare.registry import RACES, RaceSlot
from engine.experiment import ExperimentError

SETUP, REFUSED, CHANGING, LINK, SLOT = "_race_plan", "_race_refused", "_race_changing", "_race_link", "_race_stall"


def setup() -> RaceSetup:
    """What is raced: what the link says where it is another than was written last; else as it was left."""
    link, changing = state.link(), state.recall(CHANGING)
    state.keep(CHANGING, False)
    if state.recall(SETUP) is None or (link and not changing and link != state.recall(LINK)):
        problems: list[str] = []
        state.keep(SETUP, race_plan.read(link, problems))
        state.keep(REFUSED, problems)
    return state.recall(SETUP)


def refused() -> list[str]:
    """What was wrong with the link, or with the last change, in sentences."""
    return state.recall(REFUSED)


def on_change(change: Callable[[], RaceSetup]) -> None:
    """A callback: race something else; what does not fit is said, and all stays as it was."""
    state.keep(CHANGING, True)
    state.keep(REFUSED, [])
    try:
        state.keep(SETUP, change())
    except ExperimentError as error:
        state.keep(REFUSED, [text.does_not_fit(error.field, error.accepts, error.got)])


@st.cache_resource(scope="session", on_release=RACES.release, show_spinner=False)
def _attached(_owner: str, _setup: RaceSetup, _slot: RaceSlot | None) -> RaceSlot:
    """Once per session; a dropped connection clears it, and the same slot is acquired again when it comes back."""
    if _slot is not None:
        RACES.acquire(_slot)
        return _slot
    return RACES.attach(_owner, _setup)


def slot(wanted: RaceSetup) -> RaceSlot:
    """This tab's slot, its race being this one."""
    present = _attached(st.context.cookies.get("playground", ""), wanted, state.recall(SLOT))
    state.keep(SLOT, present)
    present.enter(wanted)
    return present


def write_link(raced: RaceSetup) -> None:
    """The whole race stands in the address."""
    state.keep(LINK, race_plan.written(raced))
    if state.link() != state.recall(LINK):
        st.query_params.from_dict(state.recall(LINK))
