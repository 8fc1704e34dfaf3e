"""What a lesson is begun from: nothing, the playground, another lesson, or a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from app import drafts, state, tab, text
from app.drafts import Draft
from app.write import text as write_text
from engine.experiment import Experiment
from engine.preset import PresetError, list_presets, load_preset, settings_of, table_of
from engine.preset.library import MAX_LESSON_BYTES
from engine.preset.parser import FENCE, read_table
from engine.preset.writer import write_table

FAILED = "write_upload_failed"
KEEPER = "keep_draft"  # the component that keeps the draft in the browser


def skeleton(experiment: Experiment | None = None) -> dict[str, Any]:
    """The settings of a lesson that has only a network and a hint of a text."""
    chosen = experiment or Experiment(task="first_symbol_recall", cell="rnn", seq_len=20, hidden_size=32)
    return {"order": 1, "text": write_text.NEW_TEXT, "experiment": settings_of(chosen)}


def shown() -> Draft:
    """The draft that this page shows: the one of its address, that of this tab, this visitor's newest, or a new one."""
    mine = drafts.mine()
    asked = next((draft for draft in mine if draft.id == st.query_params.get("draft")), None)
    current = asked or tab.load(drafts.SHOWN) or (mine[0] if mine else Draft(skeleton()))
    tab.store(drafts.SHOWN, current)
    return current


def popover() -> None:
    """The button with all that a lesson can be begun from. The draft before stays among the drafts.

    Its fields belong to the draft that is shown, so that they are empty again once something was begun.
    """
    now = shown().id
    with st.popover(write_text.START, icon=":material/note_add:", key=f"start_{now}"):  # a new one is closed
        st.button(write_text.START_NEW, key="start_new", width="stretch", on_click=on_new)
        why_not = write_text.not_taken(state.playground_slot())
        st.button(write_text.START_PLAYGROUND, key="start_playground", width="stretch", disabled=bool(why_not),
                  help=why_not or None, on_click=on_playground)  # fmt: skip
        st.selectbox(write_text.START_COPY, [preset.slug for preset in list_presets()], None, key=f"copy_{now}",
                     format_func=lambda slug: text.preset(load_preset(slug)), on_change=on_copy, args=(f"copy_{now}",),
                     placeholder=write_text.START_COPY_OF)  # fmt: skip
        st.file_uploader(write_text.START_FILE, ["md", "toml"], key=f"file_{now}", help=write_text.START_FILE_HELP,
                         on_change=on_file, args=(f"file_{now}",), max_upload_size=1)  # fmt: skip
        others = [draft for draft in drafts.mine() if draft is not tab.load(drafts.SHOWN)]
        if others:
            st.caption(write_text.YOUR_DRAFTS)
        for draft in others:
            title = draft.table.get("title") or write_text.UNTITLED
            st.button(text.plain(str(title)), key=f"start_draft_{draft.id}", width="stretch", type="tertiary",
                      on_click=show, args=(draft,))  # fmt: skip


def show(draft: Draft) -> None:
    """Show this draft, and keep it."""
    drafts.keep(draft)
    tab.store(drafts.SHOWN, draft)
    st.query_params.pop("draft", None)


def on_new() -> None:
    """Begin with a skeleton."""
    show(Draft(skeleton()))


def on_playground() -> None:
    """Begin with the playground's run."""
    slot = state.playground_slot()
    if slot is not None:
        show(Draft(skeleton(slot.experiment)))


def on_copy(key: str) -> None:
    """Begin with another lesson, that of this field."""
    slug = tab.load(key)
    if slug is not None:
        show(Draft(copy_of(slug)))


def copy_of(slug: str) -> dict[str, Any]:
    """The settings of a copy: its claims are only shown, since nothing measures those of teachers."""
    table = table_of(load_preset(slug))
    if "claims" in table:
        table["claims"] = [{"says": claim["says"], "gate": "shown"} for claim in table["claims"]]
    return table


def on_file(key: str) -> None:
    """Begin with a file; one that cannot be read is shown as a file, with what is wrong."""
    file = tab.load(key)
    tab.store(FAILED, "")
    if file is None:
        return
    content = file.getvalue()
    try:
        if len(content) > MAX_LESSON_BYTES:
            raise PresetError(
                f"{file.name}: a lesson has at most {MAX_LESSON_BYTES:,} bytes, this one {len(content):,}."
            )
        show(draft_of(file.name, content.decode("utf-8-sig")))
    except UnicodeDecodeError:
        tab.store(FAILED, write_text.NOT_TEXT.format(file=file.name))
    except PresetError as error:
        tab.store(FAILED, str(error))


def draft_of(file: str, content: str) -> Draft:
    """The draft of a file's text."""
    name, form = Path(file).stem, Path(file).suffix[1:]
    if form == "toml":
        try:
            content = write_table(read_table(file, content, "toml"))
        except PresetError:
            content = f"{FENCE}\n{content}\n{FENCE}\n"
    draft = Draft({}, name=name)
    try:
        draft.read(content)
    except PresetError:
        draft.begin(skeleton(), name)
        draft.raw = content
    return draft


def on_kept() -> None:
    """Show the draft that the browser has kept, if the server knows none; it comes from there, so it is checked."""
    kept = (tab.load(KEEPER) or {}).get("kept")
    name, text = (kept.get("name"), kept.get("text")) if isinstance(kept, dict) else (None, None)
    if drafts.mine() or not isinstance(name, str) or not isinstance(text, str) or len(text) > MAX_LESSON_BYTES:
        return
    draft = draft_of("draft.md", text.encode(errors="replace").decode())
    draft.name = name[:80]
    draft.check()
    show(draft)


def failed() -> None:
    """Say why a file could not be read at all."""
    if says := tab.load(FAILED):
        st.warning(text.plain(says, 1000))
