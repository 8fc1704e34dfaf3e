"""The page "Open a recording": it plays an exported file without training, or two of them, one over the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Any

import streamlit as st
from streamlit.navigation.page import Page

from app import state
from app.replay import pair, pair_text, player
from app.replay.pair import OpenedPair
from app.replay.player import Opened
from engine.recording import RecordingError

TITLE = "Open a recording"
HEIGHT = 800  # pixels of the replay in the page; it scrolls by itself, so that its player stays visible
PAIR_HEIGHT = 700  # of two recordings, whose figures stand in tabs
MOST = 2  # recordings at once


@dataclass
class ReplayState:
    """What a tab has open; it stays open after a bad file, and while other pages are shown."""

    opened: Opened | OpenedPair | None = None
    files: tuple[str, ...] = ()  # the ids of the last files, in their order
    problem: str = ""
    swapped: bool = False  # the second file is A

    def open(self, ids: tuple[str, ...], files: Sequence[tuple[str, IO[bytes]]]) -> None:
        """Open one or two uploaded files, each (name, content); if that fails, say why and keep what is open."""
        self.files, self.problem = ids, ""
        try:
            self.opened = pair.open_files(files) if len(files) == MOST else player.open_file(*files[0])
        except RecordingError as error:
            self.problem = str(error)

    def swap(self) -> None:
        """A becomes B."""
        self.swapped = not self.swapped


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
        uploaded = st.file_uploader(player.UPLOAD, "zip", key="recording_file", accept_multiple_files=True,
                                    max_upload_size=player.MAX_UPLOADED)  # fmt: skip
        with st.container(key="recording_news"):  # its own container, so that messages do not remount the replay below
            _open(page_state, uploaded)
        if isinstance(page_state.opened, OpenedPair):
            show_pair(page_state.opened, playground, page_state.swap if len(uploaded) >= MOST else None)
        elif page_state.opened is not None:
            show(page_state.opened, playground)


def _open(page_state: ReplayState, uploaded: Sequence[Any]) -> None:
    """Open what was uploaded, if it is something new, and say what went wrong."""
    files = list(uploaded[:MOST])
    if {file.file_id for file in files} != set(page_state.files):
        page_state.swapped = False
    if page_state.swapped:
        files.reverse()
    ids = tuple(file.file_id for file in files)
    if files and ids != page_state.files:
        with st.spinner(player.OPENING_FILE):
            page_state.open(ids, [(file.name, file) for file in files])
    if len(uploaded) > MOST:
        st.info(pair_text.TOO_MANY)
    if page_state.problem:
        kept = pair_text.KEPT if len(files) == MOST else player.KEPT
        st.error(page_state.problem + (f" {kept}" if page_state.opened else ""))


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


def show_pair(opened: OpenedPair, playground: Page, swap: Callable[[], None] | None) -> None:
    """Draw which file is which and how they differ, the replay of both, and the numbers.

    Args:
        swap: makes A of B; None if the files are no longer there to be read again.
    """
    heading, *sentences = opened.summary
    st.markdown(f"**{heading}**  \n{' '.join(sentences)}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(pair_text.files(opened.names), width="content")
        if swap is not None:
            st.button(pair_text.SWAP, key="recording_swap", icon=":material/swap_horiz:", on_click=swap)
        for letter, link in zip(pair_text.LETTERS, opened.links, strict=True):
            st.page_link(playground, label=pair_text.TRAIN.format(letter=letter), icon=":material/model_training:",
                         query_params=link)  # fmt: skip
        st.download_button(pair_text.SAVE, opened.html, "comparison.html", "text/html", key="recording_save_pair",
                           icon=":material/download:", on_click="ignore")  # fmt: skip
    st.iframe(player.inside(opened.html, st.context.theme.type or ""), height=PAIR_HEIGHT, alt=pair_text.PLAYER)
    with st.expander(pair_text.TABLE):
        st.dataframe(opened.table, hide_index=True)
