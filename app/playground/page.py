"""The page "Playground": settings on the left, the run on the right."""

from __future__ import annotations

import dataclasses

import streamlit as st
from streamlit.navigation.page import Page

from app import brought_network, chosen_data, controls, data_text, links, partial, setting_help, state, tab, text
from app.ask import card as ask_card
from app.controls import Group
from app.equations import card as equations_card
from app.export import card as export_card
from app.find_setting import card as find_card
from app.forecast import card as forecast_card
from app.hub import RunSlot
from app.learn import guess_first, lesson_panel
from app.listen import card as listen_card
from app.live import component as live_view
from app.my_runs import card as my_runs_card
from app.own_data import card as own_data_card
from app.seeds import card as seeds_card
from app.segments import segments
from app.share import card as share_card
from app.share import text as share_text
from app.start_weights import text as weights_text
from app.thumbnail import thumbnail
from engine.experiment import ExperimentError
from engine.preset import Preset
from engine.tasks import task_of

KEYS = {"train": "T", "pause": "P", "step": "S", "reset": "0"}
"""The keys of the buttons in presentation mode. (Streamlit uses R itself.)"""


def page(write: Page | None = None, own_data: Page | None = None, map_page: Page | None = None) -> None:
    """Draw the page from top to bottom; nothing here may take long.

    Args:
        write: the page on which a lesson that is a draft is written.
        own_data: the page to which somebody brings a file; a link that needs one leads there.
        map_page: the page to which a network that was opened there leads back.
    """
    if state.is_entered():  # a run that is on the screen stays there, also if its file was forgotten meanwhile
        if own_data is not None and chosen_data.needed(state.playground_link()) is not None:
            st.switch_page(own_data, query_params=state.playground_link())
        state.open_session()
    lesson = state.lesson()
    with st.sidebar:
        problem = settings(lesson, write, own_data)
    slot = state.slot(state.last_valid())
    lesson_panel.wait(lesson, slot)
    heading(lesson, slot)
    if map_page is not None and brought_network.is_from_map(slot.experiment):
        st.page_link(map_page, label=text.BACK_TO_MAP, icon=":material/arrow_back:")
    transport(slot, lesson)
    guess_first.notice(lesson, slot)
    for key in links.ON_THE_PAGE:
        if refused := state.refused(key):
            st.warning(refused)
    if slot.weights is not None:
        st.caption(weights_text.note(slot.weights))
    if problem:
        st.warning(text.KEPT_RUNNING.format(problem=problem))
    live_view.view(slot, lesson)
    if not state.presenting():
        my_runs_card.card(slot, lesson)
        seeds_card.card(slot)
        forecast_card.card(slot)
        ask_card.card(slot)
        listen_card.card(slot)
        equations_card.card(slot, unfolded=lesson is not None and lesson.card == "equations")
    state.write_link()


def settings(lesson: Preset | None, write: Page | None = None, own_data: Page | None = None) -> str:
    """Draw the sidebar.

    Returns:
        Why the settings are invalid together; empty if they are valid.
    """
    problem = misfit = ""
    try:
        experiment = state.requested()
    except ExperimentError as error:
        experiment, problem = state.last_valid(), text.does_not_fit(error.field, error.accepts, error.got)
        misfit = error.field
    tab.store(controls.MISFIT, misfit)
    if "lesson" not in state.hidden():
        lesson_panel.panel(lesson, experiment, write)
    find_card.card()
    heading_of_settings(text.STARTS_AGAIN, text.STARTS_AGAIN_NOTE)
    controls.TASK.draw()
    if own_data is not None:
        own_data_card.card(own_data, experiment)
    st.html(thumbnail(experiment))
    st.caption(data_text.about_data(experiment), help=data_text.foreign(experiment, task_of(experiment).source))
    controls.LENGTH.draw()
    controls.RNN_TYPE.draw()
    if text.answers_later(experiment):
        st.html('<span class="answers-later"></span>')  # a marker for the style sheet
    st.caption(text.rnn_type(experiment))
    for control in controls.CELL:
        control.draw()
    heading_of_settings(text.AT_ONCE, text.AT_ONCE_NOTE)
    for control in controls.LEARNING:
        control.draw()
    groups = [group for group in controls.GROUPS if not all(control.is_hidden for control in group.controls)]
    if groups:
        heading_of_settings(text.OTHERS, text.OTHERS_NOTE)
        with st.container(key="other_settings", gap=None):
            for group in groups:
                other_settings(group)
    for refusal in state.other_refusals():
        st.warning(refusal)
    return problem


def other_settings(group: Group) -> None:
    """Settings that few people change; drawn once they are unfolded, or if a link got one of them wrong."""
    if any(state.refused(control.key) for control in group.controls):
        tab.store(group.key, True)
    folded = st.expander(group.title, key=group.key, type="compact", on_change="rerun")
    for control in group.controls:
        if folded.open:
            with folded:
                dataclasses.replace(control, is_folded=True).draw()
        else:
            control.keep()


def heading_of_settings(title: str, caption: str) -> None:
    """The name of some settings, and the effect of a change on the run."""
    with st.container(key=f"group_{title.split()[0].lower()}", gap=None):
        st.markdown(f"**{title}**")
        st.caption(caption)


def heading(lesson: Preset | None, slot: RunSlot) -> None:
    """The lesson's question, what to look for, and every changed setting as a chip; without a lesson, the task's."""
    is_lesson = lesson is not None and slot.experiment.task == lesson.experiment.task
    title = lesson.question if lesson is not None and is_lesson else data_text.title(slot.experiment)
    with st.container(key="headline", horizontal=True, vertical_alignment="center", gap="small"):
        st.title(title, anchor=False, width="stretch")
        if state.presenting():
            st.html('<span class="presenting"></span>', width="content")  # a marker for the style sheet
        else:
            share_card.card(slot)
            export_card.card(slot)
        st.button(
            share_text.STOP_PRESENTING if state.presenting() else share_text.PRESENT, key="present",
            icon=":material/slideshow:", on_click=state.on_present,
        )  # fmt: skip
    headline(lesson, slot)


@st.fragment(key=partial.HEADLINE)
def headline(lesson: Preset | None, slot: RunSlot) -> None:
    """What to look for, and the settings."""
    experiment, line, changed = slot.experiment, data_text.teaches(slot.experiment), list[str]()
    if lesson is not None:
        changed = text.changed(experiment, lesson.experiment)
        line = lesson.look_for if experiment.task == lesson.experiment.task else line
    badges = [f":blue-badge[{change}]" for change in changed]
    badges += [f":gray-badge[{chip}]" for chip in text.chips(experiment) if chip not in changed]
    with st.container(key="look_for", gap=None):
        st.markdown(" ".join([line, *badges]))
        with st.container(key="summary"):
            st.caption(text.escaped(text.summary(experiment)))


def transport(slot: RunSlot, lesson: Preset | None) -> None:
    """Train, Pause, Step, Reset, new seed, speed, other lessons. The next useful button is highlighted.

    The style sheet highlights it: if a button's type changes, Streamlit makes a new button, which loses the keyboard
    focus. No `help` here: Streamlit draws a button with help twice, so that its key is not unique.
    """
    icons = {"train": ":material/play_arrow:", "pause": ":material/pause:", "step": ":material/skip_next:",
             "reset": ":material/replay:"}  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="transport"):
        next_button(slot)
        for key, icon in icons.items():
            if key not in state.hidden():
                st.button(setting_help.LABELS[key], key=key, icon=icon, on_click=partial.on_transport, args=(key,),
                          shortcut=KEYS[key] if state.presenting() else None)  # fmt: skip
        if "new_seed" not in state.hidden():
            st.button(setting_help.LABELS["new_seed"], key="new_seed", icon=":material/casino:",
                      on_click=state.on_new_seed)  # fmt: skip
        if "speed" not in state.hidden():
            segments(setting_help.LABELS["speed"], list(text.SPEEDS), key="speed", label_visibility="collapsed",
                     on_change=state.on_change)  # fmt: skip
        if lesson is not None and "preset" not in state.hidden():
            with st.container(key="neighbours", horizontal=True, gap="small", width="content"):
                lesson_panel.neighbours(lesson)


@st.fragment(key=partial.NEXT_BUTTON)
def next_button(slot: RunSlot) -> None:
    """A marker for the style sheet."""
    st.html(f'<span class="next-{"train" if slot.paused or slot.has_ended else "pause"}"></span>', width="content")
