"""Bringing data: a file, a pasted text, or an example."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

import streamlit as st

from app import own_data_link, tab
from app.own_data import text as own_text
from app.own_data.desk import Desk
from app.text import escaped
from engine.data.fingerprint import fingerprint
from engine.data.limits import MAX_FILE_BYTES, MAX_TEXT
from engine.package import ROOT
from engine.reading.job import Sources

FOLDER = ROOT / "presets" / "data"
"""Example files, and `examples.toml`, which names them with their source and licence."""


@dataclass(frozen=True)
class Example:
    """A file that ships with the playground: its name, what it is, where it comes from, and under which licence."""

    file: str
    title: str
    about: str
    source: str
    licence: str

    def read(self) -> bytes:
        """The bytes of the file."""
        return (FOLDER / self.file).read_bytes()


@cache
def examples() -> tuple[Example, ...]:
    """The example files that are there."""
    table = FOLDER / "examples.toml"
    if not table.is_file():
        return ()
    listed = tomllib.loads(table.read_text(encoding="utf-8")).get("example", [])
    return tuple(example for example in (Example(**each) for each in listed) if (FOLDER / example.file).is_file())


@cache
def example_with(wanted: str) -> Example | None:
    """The example file that has this fingerprint; None if there is none."""
    return next((each for each in examples() if fingerprint([each.read()]) == wanted), None)


def bring(desk: Desk) -> None:
    """The three ways to bring data."""
    with st.container(key="own_bring"):
        left, right = st.columns(2, gap="large")
        with left:
            key = f"own_upload_{desk.version}"
            st.file_uploader(own_text.UPLOAD, accept_multiple_files=True, key=key, on_change=on_upload,
                             args=(desk, key), max_upload_size=MAX_FILE_BYTES // 1_000_000)  # fmt: skip
            if desk.refused:
                st.error(escaped(desk.refused))
            st.caption(own_text.LARGEST)
            st.caption(own_text.ACCEPTED)
        with right:
            key = f"own_paste_{desk.version}"
            st.text_area(own_text.PASTE, key=key, height=128, placeholder=own_text.PASTE_PLACEHOLDER,
                         max_chars=MAX_TEXT)  # fmt: skip
            st.button(own_text.PASTE_READ, key="own_paste_read", on_click=on_paste, args=(desk, key))
        if offered := examples():
            st.markdown(f"**{own_text.EXAMPLE}**")
            with st.container(key="own_examples", horizontal=True, gap="small"):
                for number, example in enumerate(offered):
                    with st.container(key=f"own_example_{number}", width=360, gap=None):
                        st.button(example.title, key=f"own_try_{number}", icon=":material/dataset:",
                                  on_click=on_example, args=(desk, example))  # fmt: skip
                        st.caption(example.about)
            with st.popover(own_text.EXAMPLE_SOURCES, key="own_sources", type="tertiary"):
                for example in offered:
                    st.caption(own_text.EXAMPLE_SOURCE.format(example=example))
        st.caption(own_text.PRIVATE)


def on_upload(desk: Desk, key: str) -> None:
    """Read the files that were dropped or chosen; if they are too large together, not a byte of them is copied."""
    given = tab.value(key)
    if sum(each.size for each in given) > MAX_FILE_BYTES:
        desk.refuse(own_text.too_large([each.name for each in given], sum(each.size for each in given)))
    elif given:
        desk.bring(tuple((each.name, each.getvalue()) for each in given))


def bring_recorded(desk: Desk, sources: Sources, link: dict[str, str]) -> None:
    """Read the files that a recording holds as if the visitor had brought them, then train as its link says.

    Files that are too large, or others than it was trained on, are not read.
    """
    desk.clear()
    desk.link, desk.needed = own_data_link.split(link)
    names, size = [name for name, _ in sources], sum(len(data) for _, data in sources)
    if size > MAX_FILE_BYTES:
        desk.refuse(own_text.too_large(names, size))
    elif desk.needed is None or fingerprint([data for _, data in sources]) != desk.needed.fingerprint:
        desk.refuse(own_text.NOT_ITS_FILE.format(names=", ".join(names)))
    else:
        desk.bring(sources)
        desk.trains = True


def on_paste(desk: Desk, key: str) -> None:
    """Read the text that was pasted."""
    if pasted := (tab.value(key) or "").strip("\n"):
        desk.bring(((own_text.PASTED, pasted.encode()),))


def on_example(desk: Desk, example: Example) -> None:
    """Read an example file."""
    desk.bring(((example.file, example.read()),))
