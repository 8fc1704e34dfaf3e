"""The state of a tab's page "Map": its plan, the refused parts of its link, its map, and its last link."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app import state, tab, text
from app.map import plan as map_plan
from app.map import text as map_text
from app.map.kept import kept_as, kept_maps
from app.map.plan import MapPlan
from app.map.registry import MAPS, MapSlot
from engine.experiment import ExperimentError

PLAN, REFUSED, CHANGING, LINK, SLOT = "_map_plan", "_map_refused", "_map_changing", "_map_link", "_map_slot"
KEPT = "map"
"""The name in a link of a map that was measured beforehand."""


def plan() -> MapPlan:
    """The map's plan: from the link if it differs from the last written one, else as it was left."""
    link, changing = state.link(), tab.load(CHANGING)
    tab.store(CHANGING, False)
    if not map_plan.is_link(link) and KEPT not in link:
        link = {}  # of another page, which the browser's Back button has left in the address
    if tab.load(PLAN) is None or (link and not changing and link != tab.load(LINK)):
        problems: list[str] = []
        tab.store(PLAN, _read(link, problems))
        tab.store(REFUSED, problems)
    return tab.load(PLAN)


def _read(link: dict[str, str], problems: list[str]) -> MapPlan:
    """The plan of a link: a map that was measured beforehand, by its name; without a link the first of these."""
    kept = {each.slug: each.plan for each in kept_maps()}
    if not link and kept:
        return next(iter(kept.values()))
    if (slug := link.get(KEPT)) is None:
        return map_plan.from_link(link, problems)
    if slug not in kept:
        problems.append(map_text.KEPT_REFUSED.format(got=text.plain(slug), names=", ".join(kept)))
    return kept.get(slug, map_plan.WEDGE)


def refused() -> list[str]:
    """What was wrong with the link or with the last change, in sentences."""
    return tab.load(REFUSED)


def on_change(change: Callable[[], MapPlan]) -> None:
    """A widget's callback: change the plan; if the change is invalid, report it and keep the plan."""
    tab.store(CHANGING, True)
    tab.store(REFUSED, [])
    try:
        tab.store(PLAN, change())
    except ExperimentError as error:
        tab.store(REFUSED, [text.does_not_fit(error.field, error.accepts, error.got)])


@st.cache_resource(scope="session", on_release=MAPS.release, show_spinner=False)
def _attached(_owner: str, _plan: MapPlan, _slot: MapSlot | None) -> MapSlot:
    """Called once per session; a dropped connection clears it, and a reconnect acquires the same slot again."""
    return MAPS.attach(_owner, _plan, _slot)


def slot(asked: MapPlan) -> MapSlot:
    """This tab's slot, after making its map one of this plan."""
    current = _attached(st.context.cookies.get("playground", ""), asked, tab.load(SLOT))
    tab.store(SLOT, current)
    current.enter(asked)
    return current


def write_link(shown: MapPlan) -> None:
    """Write the map into the page's address."""
    kept = kept_as(shown)
    tab.write_link(LINK, map_plan.to_link(shown) if kept is None else {KEPT: kept.slug})
