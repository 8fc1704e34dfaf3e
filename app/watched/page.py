"""Recordings of watched models on the page "Open a recording": of this server's folder, or uploaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app import tab
from app import text as app_text
from app.watched import component
from app.watched import text as watched_text
from app.watched.registry import WATCHED, WatchedSlot, follow, opened
from engine.recording import RecordingError
from engine.recording.growing import SUFFIX
from engine.recording.growing.folder import names

TITLE = "Your own model, while it trains"
LISTED = "_watched_names"
CHOSEN = "watched_file"
LOOK_EVERY = 2.0  # seconds between two looks into the folder


def show_folder(place: Path) -> None:
    """Draw the recording of this folder that is chosen, the newest at first, and follow it."""
    found = names(place)
    tab.store(LISTED, sorted(found))
    _notice(place)
    if not found:
        st.info(watched_text.LIST_EMPTY)
        return
    name = found[0] if len(found) == 1 else st.selectbox(watched_text.LIST, found, key=CHOSEN)
    component.view(_followed(_owner(), name))


@st.fragment(run_every=LOOK_EVERY)
def _notice(place: Path) -> None:
    """Draw the page again when a recording has appeared."""
    if sorted(names(place)) != tab.load(LISTED):
        st.rerun()


def is_watched(name: str) -> bool:
    """True for the name of a recording of a watched model."""
    return name.endswith(SUFFIX)


def show_uploaded(files: Sequence[Any]) -> None:
    """Draw the first recording of these uploaded files that can be read, and say why the others are not shown."""
    unshown = list(files)
    for file in [file for file in files if is_watched(file.name)]:
        unshown.remove(file)
        try:
            slot = _uploaded(_owner(), file.file_id, file.name, file)
        except RecordingError as error:
            st.error(watched_text.CANNOT_BE_READ.format(name=app_text.plain(file.name), problem=error))
            continue
        if unshown:
            others = ", ".join(app_text.plain(other.name) for other in unshown)
            st.info(watched_text.ONE_IS_SHOWN.format(shown=app_text.plain(file.name), others=others))
        component.view(slot)
        return


@st.cache_resource(scope="session", max_entries=1, on_release=WATCHED.release, show_spinner=False)
def _followed(_owner: str, name: str) -> WatchedSlot:
    """This tab's view of a file that grows."""
    return follow(_owner, name)


@st.cache_resource(scope="session", max_entries=1, on_release=WATCHED.release, show_spinner=False)
def _uploaded(_owner: str, file_id: str, _name: str, _file: Any) -> WatchedSlot:
    """This tab's view of a file that was uploaded."""
    return opened(_owner, _name, _file.getvalue())


def _owner() -> str:
    return st.context.cookies.get("playground", "")
