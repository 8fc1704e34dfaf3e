"""What stands beside Train while a lesson waits for its guess."""

from __future__ import annotations

import streamlit as st

from app import guesses, state
from app.hub import RunSlot
from app.learn import lesson_panel
from app.learn import text as learn_text
from engine.preset import Preset


def notice(preset: Preset | None, slot: RunSlot) -> None:
    """Ask for the guess, and offer to skip it. Meanwhile the style sheet hides what would give the answer away."""
    if preset is None or not waits(preset, slot):
        return
    with st.container(key="guess_first", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{learn_text.GUESS_FIRST}** {learn_text.GUESS_STARTS}", width="content")
            st.button(learn_text.SKIP, key="skip_guess", icon=":material/skip_next:", on_click=on_skip)
        for number in range(len(preset.predict)):
            lesson_panel.ask(preset, number, None, beside_train=True)


def waits(preset: Preset, slot: RunSlot) -> bool:
    """True while nothing has started the run; a run that a reload has found may be under way."""
    return guesses.waits_for(preset) and slot.paused and slot.run.status().step == 0


def on_skip() -> None:
    """Train without a guess."""
    state.on_transport("train")
