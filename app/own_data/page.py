"""The page "Your data": bring a file, see what is understood of it, and train on it."""

from __future__ import annotations

from html import escape
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from app import chosen_data, links, own_data_link, own_data_store, state
from app.own_data import bring, choices, pictures
from app.own_data import text as own_text
from app.own_data.desk import Desk, desk
from app.own_data.understanding import understanding
from app.own_data_store import OwnFile
from app.text import plain
from engine.experiment import Experiment
from engine.tasks import OWN_DATA

TITLE = own_text.TITLE
POLL = 0.4  # seconds between two looks at a reading
AROUND = 3  # lines shown before and after the one at fault
MAX_LINE = 160  # characters of such a line


def page(playground: Page) -> None:
    """Draw the page. The playground stays as it was left."""
    state.leave()
    st.html(Path(__file__).with_name("style.css"))
    here = desk()
    take_link(here)
    here.wait()
    here.collect()
    file = here.file
    with st.container(key="own_data"):
        experiment, problem = (None, "") if file is None else usual(here, file)
        train_if_asked(here, file, experiment, playground)
        bar(here, file, experiment, playground)
        asked_for(here, file)
        if here.forgotten:
            st.success(own_text.FORGOTTEN.format(name=plain(here.forgotten)))
        if here.reading is not None:
            st.fragment(progress, run_every=POLL)(here)
        if here.error is not None:
            failed(here)
        if problem:
            st.error(problem)
        if file is not None:
            with st.container(key="own_understood", gap="small"):
                if here.reading is not None:
                    st.html('<span class="own-stale"></span>')  # a marker for the style sheet
                understanding(here, file, experiment)
        elif here.reading is None:
            bring.bring(here)


def bar(here: Desk, file: OwnFile | None, experiment: Experiment | None, playground: Page) -> None:
    """The title, this visitor's files, and what can be done with the one that is shown."""
    with st.container(key="own_bar", horizontal=True, vertical_alignment="center", gap="small"):
        st.title(TITLE if file is None else plain(file.name, 80), anchor=False, width="stretch")
        files(here, file)
        if file is not None:
            actions(here, file, experiment, playground)
    if file is None and here.reading is None:
        st.markdown(own_text.LEAD)


def files(here: Desk, file: OwnFile | None) -> None:
    """This visitor's other files, and how to bring one more, or to forget the one that is shown."""
    others = [each for each in own_data_store.mine().newest_first if file is None or each.option != file.option]
    if file is None and not others:
        return
    # Another version is another popover: one that was open is closed when another file is shown.
    with (
        st.container(key="own_files", width="content"),
        st.popover(own_text.FILES, icon=":material/folder:", key=f"own_files_{here.version}"),
    ):
        for number, other in enumerate(others):
            st.button(plain(other.name, 40), key=f"own_file_{number}", icon=":material/description:", width="stretch",
                      on_click=here.show, args=(other,))  # fmt: skip
        if file is not None:
            st.button(own_text.ANOTHER, key="own_another", icon=":material/add:", width="stretch", on_click=here.clear)
            st.button(own_text.FORGET, key="own_forget", icon=":material/delete:", type="tertiary", on_click=on_forget,
                      args=(here,))  # fmt: skip


def actions(here: Desk, file: OwnFile, experiment: Experiment | None, playground: Page) -> None:
    """What can be done with the file that is shown."""
    if here.choices or here.kind is not None:
        st.button(own_text.UNDO, key="own_undo", icon=":material/undo:", type="tertiary", on_click=on_undo,
                  args=(here,))  # fmt: skip
    with st.popover(own_text.HOW_READ, icon=":material/tune:", key="own_how_read"):
        choices.of_file(here, file.dataset)
        if found := pictures.columns(file.dataset):
            st.html(found)
    busy = here.reading is not None or experiment is None
    if st.button(own_text.TRAIN, key="own_train", icon=":material/play_arrow:", type="primary", disabled=busy):
        assert experiment is not None
        train(here, file, experiment, playground)


def on_undo(here: Desk) -> None:
    """Read the file as it was guessed."""
    here.choices = {}
    here.choose({}, None)


def on_forget(here: Desk) -> None:
    """Forget the file that is shown."""
    file = here.file
    here.clear()
    if file is not None:
        own_data_store.mine().forget(file)
        here.forgotten = file.name


def usual(here: Desk, file: OwnFile) -> tuple[Experiment | None, str]:
    """The network that would be trained on a file, the link's or the usual one for such data; or None and why."""
    experiment, problem = chosen_data.usual_network(file)
    if experiment is None or here.needed is None:
        return experiment, problem
    own = own_data_link.to_link(file.dataset.options, file.name)
    opens = links.read(here.link | own).experiment  # in the way that the playground reads it
    return opens if opens.task == OWN_DATA else experiment, ""


def train(here: Desk, file: OwnFile, experiment: Experiment, playground: Page) -> None:
    """Open the playground with a network that trains on this file, or with the link that has asked for it."""
    own_data_store.keep(file)  # it may have been forgotten while it was looked at
    link = links.to_link(experiment, None, "max")
    if here.needed is not None:
        link = here.link | own_data_link.to_link(file.dataset.options, file.name)
        here.leave_link()
    st.switch_page(playground, query_params=link)


def train_if_asked(here: Desk, file: OwnFile | None, experiment: Experiment | None, playground: Page) -> None:
    """Train at once where the press of a button has asked for it, as soon as the file of its link is read."""
    if here.trains and here.reading is None:
        here.trains = False
        if file is not None and experiment is not None:
            train(here, file, experiment, playground)


# ---- a link that needs data


def take_link(here: Desk) -> None:
    """Take over what the page's address asks for, once; a file that is here already is read as the link says."""
    link = state.link()
    if here.let_go and link and link == here.address:
        state.forget_link()
        link = {}
    here.address = link
    needed = chosen_data.needed(link)
    if needed is None:
        return
    others, _ = own_data_link.split(link)
    if here.needed is not None and here.needed.options == needed.options:
        here.link = others
        return
    here.clear()
    here.needed, here.link = needed, others
    if (file := own_data_store.mine().find(needed.fingerprint)) is not None:
        here.bring(file.sources)


def asked_for(here: Desk, file: OwnFile | None) -> None:
    """Which file a link needs, or that another one was brought."""
    needed = here.needed
    if here.let_go:
        st.info(own_text.LINK_LET_GO)
    if needed is None or here.reading is not None:
        return
    short = (needed.fingerprint or "unknown")[: own_data_link.SHORT]
    if file is None:
        name = plain(needed.name) or own_text.NEEDED_UNNAMED
        st.info(own_text.NEEDED.format(name=name, short=short))
        if (example := bring.example_with(needed.fingerprint)) is not None:
            st.button(own_text.USE_EXAMPLE.format(title=example.title), key="own_needed_example", type="primary",
                      icon=":material/dataset:", on_click=bring.on_example, args=(here, example))  # fmt: skip
    elif file.fingerprint != needed.fingerprint:
        st.warning(own_text.OTHER_FILE.format(got=file.fingerprint[: own_data_link.SHORT], short=short))
    else:
        st.caption(own_text.LINK_KEPT)
    st.button(own_text.LEAVE_LINK, key="own_leave_link", type="tertiary", on_click=on_leave_link, args=(here,))


def on_leave_link(here: Desk) -> None:
    """Forget the link."""
    here.leave_link()
    state.forget_link()


# ---- reading, and files that cannot be read


def progress(here: Desk) -> None:
    """How far the reading is. It looks again by itself, and draws the page anew when the reading is over."""
    reading = here.reading
    if reading is None or reading.done:
        st.rerun(scope="app")
    share, sentence = reading.progress
    with st.container(key="own_progress", horizontal=True, vertical_alignment="center"):
        named = own_text.READING.format(name=plain(", ".join(name for name, _ in here.sources), 60))
        st.progress(min(max(float(share), 0.0), 1.0), f"{named} · {plain(sentence, 120)}" if sentence else named)
        if st.button(own_text.STOP, key="own_stop", icon=":material/stop:"):
            here.cancel()
            st.rerun(scope="app")


def failed(here: Desk) -> None:
    """What is wrong with the file, its lines around the place, and what can be done."""
    error = here.error
    assert error is not None
    name = ", ".join(name for name, _ in here.sources)
    place = own_text.where(error)
    if place.lower() in error.sentence.lower():
        place = ""  # the sentence says it
    with st.container(key="own_failed"):
        st.html(
            f'<p class="own-error" role="alert"><b>{escape(own_text.FAILED.format(name=name))}'
            f"{', ' + escape(place) if place else ''}.</b> {escape(error.sentence)}</p>"
        )
        if lines := around(here, error.line):
            st.html(pictures.excerpt(lines, error.line))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(own_text.WHAT_NOW)
            if here.choices or here.kind is not None:
                st.button(own_text.UNDO, key="own_undo_failed", icon=":material/undo:", on_click=on_undo, args=(here,))
            if here.file is None:
                with st.popover(own_text.HOW_READ, icon=":material/tune:", key="own_how_read_failed"):
                    choices.kind_of_failed(here)
                    choices.of_file(here, None)


def around(here: Desk, line: int | None) -> list[tuple[int, str]]:
    """The lines of a file of text around this one, with their numbers; none where there is no such line."""
    if line is None or len(here.sources) != 1:
        return []
    data = here.sources[0][1]
    if b"\0" in data[:4096]:
        return []
    text = data.decode("utf-8", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n", line + AROUND)[: line + AROUND]
    first = max(0, line - 1 - AROUND)
    return [(first + at + 1, each[:MAX_LINE]) for at, each in enumerate(lines[first:])]
