"""The lesson beside the playground: what is behind it, what to change next, what should happen, and its neighbours."""

from __future__ import annotations

import streamlit as st

from app import controls, state, text
from engine import claim_table
from engine.experiment import Experiment
from engine.preset import Preset, list_presets


def panel(preset: Preset, experiment: Experiment) -> None:
    """At the top of the sidebar: which lesson it is, the list of all, the way back to it, and its text."""
    st.caption(text.place(preset, len(kin(preset)), experiment))
    controls.PRESET.draw()
    if experiment != preset.experiment:
        st.button(text.BACK_TO[preset.kind], key="back_to_lesson", icon=":material/undo:", type="tertiary",
                  on_click=state.on_lesson, args=(preset.slug,))  # fmt: skip
    if preset.explains or preset.next or preset.claims:
        with st.container(key="lesson"):
            about(preset)


def about(preset: Preset) -> None:
    """Its text. What should happen stays folded: guess first."""
    if preset.explains or preset.next:
        with st.expander(
            text.ABOUT[preset.kind], expanded=state.guided() and state.value("task") == preset.experiment.task
        ):
            st.markdown(preset.explains)
            if preset.next:
                st.markdown(f"**{text.CHANGE_NEXT}**")
            for number, change in enumerate(preset.next):
                st.button(change.says, key=f"next_{number}", width="stretch",
                          on_click=state.on_next, args=(change.settings,))  # fmt: skip
    if preset.claims:
        with st.expander(text.SHOULD_HAPPEN):
            for claim in preset.claims:
                st.markdown(claim.says)
                st.caption(text.held(claim, claim_table.values(preset, claim)))


def neighbours(preset: Preset) -> None:
    """The lesson before and the one after."""
    row = kin(preset)
    at = row.index(preset)
    before, after = row[at - 1 : at], row[at + 1 : at + 2]
    for key, label, icon, found in (
        ("previous_lesson", text.PREVIOUS, ":material/chevron_left:", before),
        ("next_lesson", text.NEXT, ":material/chevron_right:", after),
    ):
        st.button(label[preset.kind], key=key, icon=icon, type="tertiary", disabled=not found,
                  on_click=state.on_lesson, args=(found[0].slug if found else "",))  # fmt: skip


def kin(preset: Preset) -> list[Preset]:
    """All presets of its kind, in their order."""
    return [each for each in list_presets() if each.kind == preset.kind]
