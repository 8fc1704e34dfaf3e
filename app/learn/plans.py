"""Plans for teachers on the page "Learn": which lesson in which minutes, what to ask the class, what is then seen."""

from __future__ import annotations

from html import escape

import streamlit as st
from streamlit.navigation.page import Page

from app import links, text
from engine.preset import PlanPart, list_plans, load_preset

TITLE = "For teachers: a plan of {minutes} minutes"
LINKS = "The links open large, without settings, where nothing has to be set; each can be opened in a tab of its own."
ASK, SEE = "Ask", "They see"


def plans(playground: Page) -> None:
    """Every plan, folded."""
    for number, plan in enumerate(list_plans()):
        title = TITLE.format(minutes=plan.minutes)
        with st.expander(title, icon=":material/schedule:"), st.container(key=f"plan_{number}"):
            st.html(f"<h4>{escape(plan.title)}</h4><p>{escape(plan.says)} {LINKS}</p>")
            for begins, part in zip(plan.starts, plan.parts, strict=True):
                _part(part, begins, f"part_{number}_{begins}", playground)


def _part(part: PlanPart, begins: int, key: str, playground: Page) -> None:
    with st.container(key=key):
        st.html(f'<span class="minutes">{begins}–{begins + part.minutes} min</span>')
        with st.container():
            st.page_link(playground, label=label(part), query_params=part.query)
            st.html(f"<p><b>{ASK}:</b> {escape(part.asks)}</p><p><b>{SEE}:</b> {escape(part.sees)}</p>")


def label(part: PlanPart) -> str:
    """The lesson's title, and what the link changes in it."""
    preset, opening = load_preset(part.query["preset"]), links.read(part.query)
    return ": ".join(filter(None, [preset.title, ", ".join(text.changed(opening.experiment, preset.experiment))]))
