"""The page "Open a recording": it plays an exported file without training."""

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
HEIGHT = 800  # pixels of the replay in the page; it scrolls by itself, so that its player stays visible


@dataclass
class ReplayState:
    """The recording that a tab has open; it stays open after a bad file, and while other pages are shown."""

    opened: Opened | None = None
    file: str = ""  # the id of the last file
    problem: str = ""

    def open(self, file: str, name: str, content: IO[bytes]) -> None:
        """Open an uploaded file; if that fails, store the reason and keep the open recording."""
        self.file, self.problem = file, ""
        try:
            self.opened = player.open_file(name, content)
        except RecordingError as error:
            self.problem = str(error)


@st.cache_resource(scope="session", max_entries=1, show_spinner=False)
def _page_state() -> ReplayState:
    """The state of this tab."""
    return ReplayState()


def page(playground: Page) -> None:
    """Draw the page; `playground` can train a recording's experiment again."""
    state.leave()
    if link := state.link():  # Streamlit writes a link relative to this page: in a new tab it opens here first
        st.switch_page(playground, query_params=link)
    page_state = _page_state()
    with st.container(key="recording"):
        st.title(TITLE, anchor=False)
        st.caption(player.ABOUT)
        file = st.file_uploader(player.UPLOAD, "zip", key="recording_file",
                                max_upload_size=player.MAX_UPLOADED)  # fmt: skip
        with st.container(key="recording_news"):  # its own container, so that messages do not remount the replay below
            if file is not None and file.file_id != page_state.file:
                with st.spinner(player.OPENING_FILE):
                    page_state.open(file.file_id, file.name, file)
            if page_state.problem:
                st.error(page_state.problem + (f" {player.KEPT}" if page_state.opened else ""))
        if page_state.opened is not None:
            show(page_state.opened, playground)


def show(opened: Opened, playground: Page) -> None:
    """Draw the summary, the replay, and the numbers."""
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
