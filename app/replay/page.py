"""The page "Open a recording": a file that was exported, played again without training anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

import streamlit as st
from streamlit.navigation.page import Page

from app import state
from app.replay import player
from app.replay.player import Opened
from engine.recording import RecordingError

TITLE = "Open a recording"
HEIGHT = 800  # pixels of the replay in the page; it scrolls by itself, so that its player stays in sight


@dataclass
class ReplayState:
    """What a tab's page holds open: it stays while a bad file is tried, and while other pages are looked at."""

    opened: Opened | None = None
    file: str = ""  # the newest file that was looked at
    problem: str = ""

    def take(self, file: str, name: str, content: IO[bytes]) -> None:
        """Open a file that somebody brought; where that fails, say why and keep what is open."""
        self.file, self.problem = file, ""
        try:
            self.opened = player.open_file(name, content)
        except RecordingError as error:
            self.problem = str(error)


@st.cache_resource(scope="session", max_entries=1, show_spinner=False)
def _page_state() -> ReplayState:
    """Of this tab."""
    return ReplayState()


def page(playground: Page) -> None:
    """Draw the page; `playground` is where a recording's experiment can be trained anew."""
    state.leave()
    if link := state.link():  # Streamlit writes a link relative to this page: in a new tab it leads here first
        st.switch_page(playground, query_params=link)
    page_state = _page_state()
    with st.container(key="recording"):
        st.title(TITLE, anchor=False)
        st.caption(player.ABOUT)
        file = st.file_uploader(player.UPLOAD, "zip", key="recording_file",
                                max_upload_size=player.MAX_UPLOADED)  # fmt: skip
        with st.container(key="recording_news"):  # a place of its own: what comes and goes here moves no frame below
            if file is not None and file.file_id != page_state.file:
                with st.spinner(player.OPENING_FILE):
                    page_state.take(file.file_id, file.name, file)
            if page_state.problem:
                st.error(page_state.problem + (f" {player.KEPT}" if page_state.opened else ""))
        if page_state.opened is not None:
            show(page_state.opened, playground)


def show(opened: Opened, playground: Page) -> None:
    """What it is, the replay, and the numbers."""
    heading, *sentences = opened.summary
    st.markdown(f"**{heading}**  \n{' '.join(sentences)}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(playground, label=player.IN_PLAYGROUND, icon=":material/model_training:",
                     query_params=opened.link)  # fmt: skip
        st.download_button(player.SAVE, opened.html, f"{opened.name.removesuffix('.zip')}.html", "text/html",
                           key="recording_save", icon=":material/download:", on_click="ignore")  # fmt: skip
    st.iframe(player.inside(opened.html, st.context.theme.type or ""), height=HEIGHT, alt=player.PLAYER)
    with st.expander(player.TABLE):
        st.dataframe(opened.table, hide_index=True)
