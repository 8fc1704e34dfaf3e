"""The card "My runs": the runs of this browser that are over or were left, each with what can be done with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from app import links, state, tab
from app.compare import plan
from app.figures import theme
from app.hub import HUB, RunSlot
from app.my_runs import compare_link
from app.my_runs import text as my_runs_text
from app.past_runs import MAX_NAME, KeptRun
from app.verdicts import VERDICTS
from engine.frame import RunInfo
from engine.preset import Preset

KEY = "my_runs"
FILE = "runs.csv"
HERE = Path(__file__).parent
MARKUP, STYLE, SCRIPT = ((HERE / name).read_text() for name in ("markup.html", "style.css", "table.js"))
REFUSED = "_my_runs_refused"


def card(slot: RunSlot, lesson: Preset | None) -> None:
    """Draw the card, folded at first.

    Args:
        slot: this tab's runs. lesson: the links of a run begin with it; None without one.
    """
    component = st.components.v2.component("my_runs", html=MARKUP, css=STYLE, js=SCRIPT, isolate_styles=False)
    HUB.gather(slot)
    present = slot.past.line_of(slot.run)
    runs = sorted(slot.past.newest_first, key=lambda run: run is not present)  # the present run first
    beside = {run.id: place for place, run in slot.beside.items()}
    refused = tab.load(REFUSED) or ""
    tab.store(REFUSED, "")
    component(
        key=KEY,
        data={
            "heading": my_runs_text.HEADING,
            "about": my_runs_text.ABOUT if runs else my_runs_text.NONE_YET,
            "columns": my_runs_text.COLUMNS,
            "labels": my_runs_text.LABELS,
            "refused": refused,
            "longest": MAX_NAME,
            "csv": f"live/{slot.token}/{FILE}",
            "rows": [row(run, slot, lesson, beside.get(run.id)) for run in runs],
        },
        on_press_change=lambda: on_press(slot, lesson),
    )


def row(run: KeptRun, slot: RunSlot, lesson: Preset | None, place: int | None) -> dict[str, Any]:
    """What the table shows of a run; `place` is its place among the runs that are drawn, None if it is not."""
    info: RunInfo = slot.run.info
    is_present = run is slot.past.line_of(slot.run)
    can_draw, note = my_runs_text.not_drawn(run, info)
    style = VERDICTS.get(run.verdict)
    compare, about = "", my_runs_text.NO_COMPARISON
    if plan.fits(slot.experiment, run.initial):
        compare = compare_link.address(slot.token, run, lesson.slug if lesson is not None else plan.DEFAULT_PRESET)
        shared = my_runs_text.differing_data(slot.experiment, run.initial)
        about = my_runs_text.LABELS["compare_title"].format(shared=shared)
    return {
        "id": run.id,
        "present": is_present,
        "name": run.name,
        "settings": my_runs_text.settings(run),
        "look": None if place is None else theme.PAST_RUNS[place],
        "can_draw": can_draw,
        "note": note,
        "step": f"{run.step:,}",
        "best": my_runs_text.best(run),
        "verdict": None if style is None else style.values(),
        "ended": None if is_present and not slot.has_ended else 1000 * run.ended,
        "kept": run.is_kept,
        "open": f"?{urlencode(open_link(run, lesson))}",
        "compare": compare,
        "compare_about": about,
    }


def open_link(run: KeptRun, lesson: Preset | None) -> dict[str, str]:
    """The link that opens a run's settings and live changes, in the lesson that is shown."""
    hidden = {"hide": "~".join(state.hidden())} if state.hidden() else {}
    return links.to_link(run.initial, lesson, tab.load("speed")) | links.format_changes(run.changes) | hidden


def on_press(slot: RunSlot, lesson: Preset | None) -> None:
    """Do what was asked for: {"what", "id", "value"} comes from the browser, so it is checked."""
    asked = tab.pressed(KEY)
    run = slot.past.find(asked.get("id"))
    if run is None:
        return
    what, value = asked.get("what"), asked.get("value")
    if what == "draw" and not slot.draw_beside(run, bool(value)):
        tab.store(REFUSED, my_runs_text.FULL)
    elif what == "keep" and not slot.past.keep(run, bool(value)):
        tab.store(REFUSED, my_runs_text.ALL_KEPT)
    elif what == "name" and isinstance(value, str):
        slot.past.rename(run, value)
    elif what == "forget":
        slot.past.forget(run)
    elif what == "open":
        st.query_params.from_dict(open_link(run, lesson))  # read like a link that somebody follows
