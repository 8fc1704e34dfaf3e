"""A student's tab: whether it attends a class, and what the class draws above its page or in its place."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import Page

from app import class_link, drafts, state, tab
from app.classroom import component, look_view
from app.classroom import text as class_text
from app.classroom.classroom import Student
from app.classroom.registry import CLASSES, STUDENTS
from app.learn import progress

STUDENT, NOTICE, REFUSED = "_class_student", "_class_notice", "_class_refused"


def enter(student: Student) -> None:
    """From now on this tab attends the class as this student."""
    tab.store(STUDENT, student)
    tab.store(NOTICE, "")
    class_link.attend(student.classroom.code, student.number)


def attend(playground: Page, join: Page, page: Page) -> bool:
    """Draw what the class has to say above the page. Nothing happens in a tab that attends none.

    Args:
        playground: where an assignment is opened. join: the page "Class", on which a class is joined.
        page: the page that is asked for.

    Returns:
        False if the teacher's run is on the screen, in the place of the page.
    """
    student = _student(join, page)
    if student is None:
        if tab.load(NOTICE):
            st.info(tab.load(NOTICE))
        return True
    classroom = student.classroom
    _attached(student.token, student)
    if student.followed != classroom.assignment.number:
        student.followed = classroom.assignment.number
        state.leave()  # so that the playground reads its link
        st.switch_page(playground, query_params=classroom.assignment.link | class_link.link())
    with st.container(key="attending"):
        component.bar(student, on_leave)
    if classroom.look is None:
        return True
    state.leave()
    look_view.view(classroom.look)
    return False


def note_run() -> None:
    """After the page: note which runs are this student's, and the guess made beside the lesson, if it is asked for."""
    student: Student | None = tab.load(STUDENT)
    slot = state.playground_slot()
    if student is None or slot is None:
        return
    student.slot = slot
    question = student.classroom.question
    if question is not None and question.lesson is not None:
        guess = progress.learn_state().guesses.get(question.lesson)
        if guess is not None:
            student.classroom.guess(student, question.number, guess.answer, keep=True)


def on_leave() -> None:
    """Leave the class; the run goes on."""
    student: Student | None = tab.load(STUDENT)
    if student is not None:
        CLASSES.remove(student)
    _forget("")


def _student(join: Page, page: Page) -> Student | None:
    """The student of this tab: as it was, or after a reload the one of this browser whom the address names."""
    student: Student | None = tab.load(STUDENT)
    code, number = class_link.read(state.link()) if page is not join else ("", 0)
    if student is not None and not student.attends:
        over = student.classroom.is_over
        _forget((class_text.ENDED if over else class_text.REMOVED).format(code=student.classroom.code))
        return None
    if student is not None or not code or code == tab.load(REFUSED):
        return student
    classroom = CLASSES.by_code(code)
    if classroom is None:
        tab.store(REFUSED, code)
        tab.store(NOTICE, class_text.NOT_THERE)
        return None
    if (known := classroom.known(drafts.browser(), number)) is None:
        st.switch_page(join, query_params={"code": code})
    enter(known)
    return known


def _forget(notice: str) -> None:
    tab.store(STUDENT, None)
    tab.store(NOTICE, notice)
    class_link.leave()
    st.query_params.pop(class_link.NAME, None)


@st.cache_resource(scope="session", max_entries=1, on_release=STUDENTS.release, show_spinner=False)
def _attached(token: str, _student: Student) -> Student:
    """Called once per session; a dropped connection clears it, and a reconnect acquires the same student again."""
    STUDENTS.acquire(_student)
    return _student
