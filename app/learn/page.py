"""The page "Learn": chapters of cards, and their text. A card is a link to the playground."""

from __future__ import annotations

from html import escape
from pathlib import Path
from urllib.parse import parse_qsl

import streamlit as st
from streamlit.navigation.page import Page

from app import links, state, text
from app.learn import plans, progress, setting_links
from app.learn import text as learn_text
from app.learn.text import Chapter
from app.thumbnail import thumbnail
from engine.preset import Preset, being_read, list_presets, unreadable

STYLE = Path(__file__).with_name("style.css")


def page(playground: Page, first_minute: Page, write: Page) -> None:
    """Draw the page; the cards lead to `playground`, a link to `first_minute`, and one for teachers to `write`."""
    state.leave()
    if link := state.link():  # Streamlit writes a card's link relative to this page: in a new tab it opens here first
        st.switch_page(playground, query_params=link)
    waiting = being_read()  # asked first: a lesson that is there meanwhile is drawn at once, and once more
    presets = list_presets()
    if pressed := setting_links.listen(presets):
        st.switch_page(playground, query_params=dict(parse_qsl(pressed.address.removeprefix("/?"))))
    st.html(STYLE)
    chapters = learn_text.chapters(presets)
    with st.container(key="lessons"):
        st.title(text.LEARN_HEADING, anchor=False)
        progress.keep()
        go_on(presets, playground)
        st.page_link(first_minute, icon=":material/timer:", width="content")
        st.html(learn_text.contents(chapters, progress.done()))
        plans.plans(playground)
        st.page_link(write, label=learn_text.WRITE, icon=":material/edit_note:")
        for problem in unreadable():
            st.warning(learn_text.UNREADABLE.format(problem=text.plain(problem, 1000)))
        if waiting:
            say_being_read(waiting)
        for group in chapters:
            chapter(group, playground)


@st.fragment(run_every=1.0)
def say_being_read(said: dict[str, str]) -> None:
    """Say of which lessons the data are being read; the page is drawn anew when that is over for one of them."""
    if being_read() != said:
        st.rerun()
    for sentence in said.values():
        st.info(text.plain(sentence, 1000), icon=":material/hourglass_empty:")


def go_on(presets: tuple[Preset, ...], playground: Page) -> None:
    """The next lesson to do, and the number of lessons done."""
    done = progress.done()
    following = learn_text.following(presets, done)
    with st.container(key="go_on"):
        if following is None:
            st.markdown(f"**{learn_text.ALL_DONE}**")
        else:
            word = learn_text.CONTINUE if done else learn_text.BEGIN
            st.page_link(playground, label=f"{word}: {text.preset(following)}", icon=":material/play_arrow:",
                         query_params={"preset": following.slug})  # fmt: skip
            st.html(f"<p>{escape(following.question)}</p>")
        st.caption(f"{learn_text.progress(presets, done)}. {learn_text.REMEMBERED}")
        if done:
            st.button(learn_text.FORGET, key="forget_lessons", type="tertiary", on_click=progress.forget)


def chapter(chapter: Chapter, playground: Page) -> None:
    """A chapter's name and sentence, its cards, and the text of all its lessons."""
    first = chapter.presets[0].slug
    st.html(learn_text.heading(chapter, progress.done()))
    if chapter.name == learn_text.FAILURES:
        symptoms(playground)
    with st.container(key=f"cards_{first}"):
        for preset in chapter.presets:
            card(preset, playground)
    if any(preset.explains or preset.text for preset in chapter.presets):
        with st.expander(learn_text.READ, icon=":material/menu_book:"), st.container(key=f"book_{first}"):
            for preset in chapter.presets:
                st.html(f"<h4>{escape(text.preset(preset))}</h4><p>{escape(preset.question)}</p>")
                setting_links.prose(preset, preset.slug)


def symptoms(playground: Page) -> None:
    """The list "What do you see?": every symptom is a link to a network that shows it."""
    with st.container(key="symptoms"):
        st.html(learn_text.symptoms_heading())
        with st.container(key="symptom_list"):
            for number, (preset, seen) in enumerate(learn_text.symptoms(list_presets())):
                with st.container(key=f"symptom_{number}"):
                    st.page_link(playground, label=seen.says, query_params=learn_text.symptom_link(preset, seen))
                    st.html(learn_text.leads_to(preset, seen))


def card(preset: Preset, playground: Page) -> None:
    """A lesson's title, question, example and network. The style sheet stretches the link over the card."""
    with st.container(key=f"card_{preset.slug}"):
        st.page_link(playground, label=text.preset(preset), query_params=links.to_preset(preset))
        st.html(card_body(preset))


def card_body(preset: Preset) -> str:
    """A card below its title, as HTML."""
    tags = "".join(f"<span>{escape(tag)}</span>" for tag in text.tags(preset.experiment))
    symptom = f'<p class="symptom"><b>{learn_text.SYMPTOM}:</b> {escape(preset.symptom)}</p>' if preset.symptom else ""
    return (
        f'<p class="question">{escape(preset.question)}</p>{symptom}{learn_text.wrong_line(preset)}'
        f"{thumbnail(preset.experiment)}"
        f'<p class="tags">{tags}{learn_text.tick(preset.slug, progress.done())}</p>'
    )
