"""The page "Open a recording": it plays an exported file without training, or two of them, one over the other."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import streamlit as st
from streamlit.navigation.page import Page

from app import chosen_data, state, text
from app.own_data.bring import bring_recorded
from app.own_data.desk import desk
from app.replay import pair, pair_text, player
from app.replay.pair import OpenedPair
from app.replay.player import Opened
from app.start_weights import panel as start_weights
from app.watched import page as watched
from engine.reading.job import Sources
from engine.recording import Recording, RecordingError
from engine.recording.growing.folder import folder
from engine.screen import given_files
from engine.weights import SUFFIXES

TITLE = "Open a recording"
HEIGHT = 800  # pixels of the replay in the page; it scrolls by itself, so that its player stays visible
PAIR_HEIGHT = 700  # of two recordings, whose figures stand in tabs
MOST = 2  # recordings at once


Uploaded = tuple[str, str, IO[bytes]]
"""The id, the name and the content of a file."""


@dataclass
class ReplayState:
    """What a tab has open; it stays open after bad files, and while other pages are shown."""

    opened: Opened | OpenedPair | None = None
    shown: tuple[str, ...] = ()  # the ids of the files that are open, in their order
    problems: dict[str, str] = field(default_factory=dict)  # by id of an uploaded file; "" if it can be read
    swapped: bool = False  # the second file is A

    def has_opened(self, ids: Sequence[str]) -> bool:
        """True if these files were opened before, in this order."""
        return list(self.problems) == list(ids) and self._chosen(ids) in (self.shown, ())

    def open(self, files: Sequence[Uploaded]) -> None:
        """Open the first one or two files that can be read; note of each other one why not.

        If none can be read, what is open stays.
        """
        self.problems = {id: self.problems[id] if id in self.problems else _problem(file) for id, _, file in files}
        by_id = {id: (name, file) for id, name, file in files}
        while (ids := self._chosen(list(by_id))) and ids != self.shown:
            chosen = [by_id[id] for id in ids]
            try:
                self.opened = pair.open_files(chosen) if len(ids) == MOST else player.open_file(*chosen[0])
                self.shown = ids
            except RecordingError as error:
                self._blame(ids, chosen, str(error))

    def readable(self, ids: Sequence[str]) -> list[str]:
        """Those of these files that can be read."""
        return [id for id in ids if not self.problems.get(id)]

    def _chosen(self, ids: Sequence[str]) -> tuple[str, ...]:
        """The files to show, A first."""
        chosen = tuple(self.readable(ids)[:MOST])
        if set(chosen) != set(self.shown):
            self.swapped = False
        return chosen[::-1] if self.swapped else chosen

    def _blame(self, ids: Sequence[str], chosen: Sequence[tuple[str, IO[bytes]]], problem: str) -> None:
        """Note which of the files that could be read cannot be drawn: at least one, so that the others are tried."""
        for id, file in zip(ids, chosen, strict=True) if len(ids) > 1 else ():
            try:
                player.open_file(*file)
            except RecordingError as error:
                self.problems[id] = str(error)
        if not any(self.problems[id] for id in ids):
            together = pair_text.NOT_TOGETHER.format(name=text.plain(chosen[0][0]))
            self.problems[ids[-1]] = together if len(ids) > 1 else problem

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
    with st.container(key="recording"):
        if (place := folder()) is not None:
            st.title(watched.TITLE, anchor=False)
            watched.show_folder(place)
            return
        st.title(TITLE, anchor=False)
        st.caption(player.ABOUT)
        endings = ["zip", "looks", *(suffix[1:] for suffix in SUFFIXES)]
        every = st.file_uploader(player.UPLOAD, endings, key="recording_file", accept_multiple_files=True,
                                 max_upload_size=player.MAX_UPLOADED)  # fmt: skip
        every = every or given()
        if any(watched.is_watched(file.name) for file in every):
            watched.show_uploaded(every)
            return
        if weights := [file for file in every if start_weights.is_weights(file.name)]:
            start_weights.show(weights[0], playground)
            every = [file for file in every if file not in weights]
        show_recordings(every, playground)


class GivenFile(io.BytesIO):
    """A file that the server was started with, as if it had been uploaded."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.read_bytes())
        self.name, self.file_id = path.name, f"given:{path}"


def given() -> list[GivenFile]:
    """The files that this server was started with and that are still there."""
    return [GivenFile(path) for path in given_files() if path.is_file()]


def show_recordings(uploaded: Sequence[Any], playground: Page) -> None:
    """Draw one or two recordings of runs of our own, or those that were open before."""
    page_state = _page_state()
    with st.container(key="recording_news"):  # its own container, so that messages do not remount the replay below
        _open(page_state, uploaded)
    readable = page_state.readable([file.file_id for file in uploaded])
    if isinstance(page_state.opened, OpenedPair):
        show_pair(page_state.opened, playground, page_state.swap if len(readable) >= MOST else None)
    elif page_state.opened is not None:
        show(page_state.opened, playground)


def _problem(file: IO[bytes]) -> str:
    """Why a file cannot be read; "" if it can."""
    try:
        Recording.load(file, player.MAX_UNPACKED)
    except RecordingError as error:
        return str(error)
    return ""


def _open(page_state: ReplayState, uploaded: Sequence[Any]) -> None:
    """Open what was uploaded, if it is something new, and say of every file that cannot be opened what is wrong."""
    ids = [file.file_id for file in uploaded]
    if ids and not page_state.has_opened(ids):
        with st.spinner(player.OPENING_FILE):
            page_state.open([(file.file_id, file.name, file) for file in uploaded])
    readable = page_state.readable(ids)
    if len(readable) > MOST:
        st.info(pair_text.TOO_MANY)
    for file in uploaded:
        if problem := page_state.problems[file.file_id]:
            said = pair_text.PROBLEM.format(name=text.plain(file.name), problem=text.escaped(problem),
                                            accepted=pair_text.ACCEPTED)  # fmt: skip
            st.error(said)
    if ids and not readable and page_state.opened is not None:
        st.info(pair_text.KEPT)


def show(opened: Opened, playground: Page) -> None:
    """Draw the summary, the replay, and the numbers."""
    _say([f"{opened.name}: {opened.summary[0]}", *opened.summary[1:]])
    with st.container(horizontal=True, vertical_alignment="center"):
        train_again(playground, player.IN_PLAYGROUND, opened.link, opened.files)
        st.download_button(player.SAVE, opened.html, f"{opened.name.removesuffix('.zip')}.html", "text/html",
                           key="recording_save", icon=":material/download:", on_click="ignore")  # fmt: skip
    st.iframe(player.inside(opened.html, st.context.theme.type or ""), height=HEIGHT, alt=player.PLAYER)
    with st.expander(player.TABLE):
        st.dataframe(opened.table, hide_index=True)


def train_again(playground: Page, label: str, link: dict[str, str], files: Sources) -> None:
    """Draw what opens a recording's network in the playground; the files that it holds are brought, if they are needed.

    Args:
        link: of its experiment. files: that the recording holds.
    """
    icon = ":material/model_training:"
    if not files:
        st.page_link(playground, label=label, icon=icon, query_params=link)
    elif st.button(label, key=f"recording_train_{label}", icon=icon, type="tertiary"):
        if chosen_data.needed(link) is not None:
            bring_recorded(desk(), files, link)
        st.switch_page(playground, query_params=link)


def _say(summary: Sequence[str]) -> None:
    """Draw the heading, then the other sentences; all are plain words, some of them a file's."""
    heading, *sentences = map(text.escaped, summary)
    st.markdown(f"**{heading}**  \n{' '.join(sentences)}")


def show_pair(opened: OpenedPair, playground: Page, swap: Callable[[], None] | None) -> None:
    """Draw which file is which and how they differ, the replay of both, and the numbers.

    Args:
        swap: makes A of B; None if the files are no longer there to be read again.
    """
    _say(opened.summary)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(pair_text.files(opened.names), width="content")
        if swap is not None:
            st.button(pair_text.SWAP, key="recording_swap", icon=":material/swap_horiz:", on_click=swap)
        for letter, link, files in zip(pair_text.LETTERS, opened.links, opened.files, strict=True):
            train_again(playground, pair_text.TRAIN.format(letter=letter), link, files)
        st.download_button(pair_text.SAVE, opened.html, "comparison.html", "text/html", key="recording_save_pair",
                           icon=":material/download:", on_click="ignore")  # fmt: skip
    st.iframe(player.inside(opened.html, st.context.theme.type or ""), height=PAIR_HEIGHT, alt=pair_text.PLAYER)
    with st.expander(pair_text.TABLE):
        st.dataframe(opened.table, hide_index=True)
