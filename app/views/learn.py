"""The course: every lesson as a card, in teaching order, then the failure cards. A card is a link to the playground."""

from __future__ import annotations

from html import escape
from itertools import groupby

import streamlit as st
from streamlit.navigation.page import Page

from app import state, text
from app.thumbnail import thumbnail
from engine.preset import Preset, list_presets


def page(playground: Page) -> None:
    """Draw the page; `playground` is where the cards lead."""
    state.leave()
    if link := state.link():  # Streamlit writes a card's link relative to this page: in a new tab it leads here first
        st.switch_page(playground, query_params=link)
    lessons = [preset for preset in list_presets() if preset.kind == "lesson"]
    failures = [preset for preset in list_presets() if preset.kind == "failure"]
    st.subheader(text.LEARN_HEADING, anchor=False)
    with st.container(key="lessons"):
        grids(lessons, playground)
    if failures:
        st.subheader(text.FAILURES, anchor=False)
        st.caption(text.FAILURES_SAID)
        with st.container(key="failures"):
            grids(failures, playground)


def grids(presets: list[Preset], playground: Page) -> None:
    """One grid of cards per chapter, each under its name."""
    for chapter, group in groupby(presets, key=lambda preset: preset.chapter):
        together = list(group)
        if chapter:
            st.html(f'<h4 class="chapter">{escape(chapter)}</h4>')
        with st.container(key=f"cards_{together[0].slug}"):
            for preset in together:
                card(preset, playground)


def card(preset: Preset, playground: Page) -> None:
    """Number and title, the question, a sequence of its data, and the network. The style sheet stretches the link."""
    tags = "".join(f"<span>{escape(each)}</span>" for each in text.tags(preset.experiment))
    with st.container(key=f"card_{preset.slug}"):
        st.page_link(playground, label=text.preset(preset), query_params={"preset": preset.slug})
        st.html(
            f'<p class="question">{escape(preset.question)}</p>{thumbnail(preset.experiment)}<p class="tags">{tags}</p>'
        )
