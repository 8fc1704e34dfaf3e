"""Clicks after which only parts of the playground are drawn again, each a fragment with a name.

Where anything else on the page may change, the callbacks below return without naming a part, and Streamlit draws the
whole page.
"""

from __future__ import annotations

import streamlit as st

from app import guesses, stage_mode, state, tab
from engine.experiment import ExperimentError

HEADLINE, NEXT_BUTTON, TASK, PAGE = "headline", "next_button", "task", "page"
"""What the settings are, in words; which button of Train and Pause is the next one; the lesson's task; all."""
FOUND = "find_setting"
"""The field whose setting is shown a second time; see `app.find_setting`."""


def on_live_change() -> None:
    """A setting changed that a run takes over while it trains: draw the words on the settings again."""
    before, had_warnings = state.last_valid(), state.on_change()
    try:
        experiment = state.requested()
    except ExperimentError:
        return  # the page says why
    slot, lesson = state.playground_slot(), state.lesson()
    if slot is None or had_warnings or stage_mode.now() or slot.has_ended or tab.load(FOUND):
        return
    if lesson is not None and (before == lesson.experiment) != (experiment == lesson.experiment):
        return  # the lesson is left, or found again
    token = slot.token
    slot.apply(experiment)
    if slot.token != token or slot.outdated_part:
        return
    state.write_link()
    st.rerun(HEADLINE)


def on_transport(what: str) -> None:
    """Train, pause, step or reset, by the name of the slot's method: mark the button that is the next one."""
    slot, lesson = state.playground_slot(), state.lesson()
    is_plain = slot is not None and not (slot.has_ended or stage_mode.now() or guesses.waits_for(lesson))
    token = slot.token if slot is not None else ""
    state.on_transport(what)
    if is_plain and slot is not None and slot.token == token:
        st.rerun(NEXT_BUTTON)


def on_step_recorded() -> None:
    """The worker reported the step of a live change, which stands in the link."""
    state.on_report()
    state.write_link()
    st.rerun(NEXT_BUTTON)


def on_redraw(component_key: str) -> None:
    """The run has come to something that the page does not show yet; the browser names the part that it was told."""
    state.on_report()
    if tab.value(component_key).get("redraw") == TASK:
        st.rerun(TASK)
