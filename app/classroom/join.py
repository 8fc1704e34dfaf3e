"""The page "Class" for those without one: join by a code, or open one."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import Page

from app import class_link, drafts, state, tab
from app import text as app_text
from app.classroom import assignments, attendance
from app.classroom import text as class_text
from app.classroom.classroom import Classroom
from app.classroom.code import read_code
from app.classroom.limits import MAX_NAME
from app.classroom.question import ClassroomError
from app.classroom.registry import CLASSES

REFUSED = "_class_join_refused"


def join(playground: Page, raw_code: str | None) -> None:
    """Draw the form by which a student joins.

    Args:
        playground: where a student begins. raw_code: of the link; None without one.
    """
    code = _living(read_code(raw_code or ""))
    title = class_text.JOIN_THIS.format(code=code) if code else class_text.JOIN
    with st.form("class_join", width=440):
        st.title(title, anchor=False)
        if not code:
            st.caption(class_text.JOIN_ABOUT)
            typed = st.text_input(class_text.CODE, max_chars=12, key="class_code", autocomplete="off")
            code = read_code(typed)
        name = st.text_input(class_text.NAME, max_chars=MAX_NAME, key="class_name", help=class_text.NAME_HELP,
                             autocomplete="off")  # fmt: skip
        pressed = st.form_submit_button(class_text.JOIN_BUTTON, key="class_join_button", type="primary")
        if pressed:
            try:
                student = CLASSES.join(code, drafts.browser(), name)
            except ClassroomError as error:
                st.warning(str(error))
                return
            attendance.enter(student)
            st.switch_page(playground, query_params=student.classroom.assignment.link | class_link.link())


def _living(code: str) -> str:
    """The code, if there is such a class; else a sentence is drawn, and another one can be typed."""
    try:
        return CLASSES.asked_for(code, drafts.browser()).code if code else ""
    except ClassroomError as error:
        st.warning(str(error))
        return ""


def open_class() -> None:
    """Draw what a teacher needs to open a class."""
    with st.container(key="class_open", width=620):
        st.subheader(class_text.OPEN, anchor=False)
        try:
            opens = assignments.of_playground()
        except ClassroomError as error:
            st.info(str(error))
            return
        st.markdown(class_text.OPEN_ABOUT.format(title=app_text.escaped(opens.title)))
        if st.button(class_text.OPEN_BUTTON, key="class_open_button", icon=":material/school:"):
            try:
                keep(CLASSES.open(drafts.browser(), *opens))
            except ClassroomError as error:
                st.warning(str(error))
                return
            st.rerun()
        st.caption(class_text.KEPT)


KEY, LINK_KEY = "_class_key", "key"
"""The name of a class's secret key in the tab's storage, and in a link for another device of the teacher's."""


def keep(classroom: Classroom) -> None:
    """Remember in this tab that it runs this class."""
    tab.store(KEY, classroom.key)


def own_class() -> Classroom | None:
    """The class that this tab may run: by the key of its link, or because this browser has opened it."""
    if key := state.link().get(LINK_KEY, ""):
        tab.store(KEY, key)  # the page clears the address, so that nobody reads it from the screen
    kept = tab.load(KEY)
    return (CLASSES.by_key(kept) if kept else None) or CLASSES.of(drafts.browser())
