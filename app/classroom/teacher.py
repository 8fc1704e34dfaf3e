"""The teacher's side of the page "Class": how to join, what to do with all, and the board or one student's run."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.navigation.page import Page

from app import drafts, links, state, tab
from app import text as app_text
from app.classroom import assignments, component, look_view
from app.classroom import text as class_text
from app.classroom.classroom import Classroom, Student
from app.classroom.downloads import FILE
from app.classroom.invitation import address, invitation, qr_code
from app.classroom.join import LINK_KEY
from app.classroom.limits import MAX_ANSWER, MAX_ANSWERS, MAX_QUESTION
from app.classroom.look import LOOKS, Look
from app.classroom.question import ClassroomError
from app.classroom.registry import CLASSES
from app.hub import RunSlot
from app.live.tabs import tabs
from engine.preset import list_presets

OPENED, REFUSED = "_class_opened", "_class_refused_order"
ALL_SEE = ("gradient", "loss")
"""The figures that a run without a lesson is shown with."""


def desk(classroom: Classroom, playground: Page) -> None:
    """Draw everything for the teacher of this class."""
    _attached(classroom.token, classroom)
    st.title(class_text.HEADING.format(code=classroom.code), anchor=False)
    title = app_text.escaped(classroom.assignment.title)
    st.markdown(class_text.NOW.format(title=title))
    empty = not classroom.students  # once somebody has come, a panel that begins folded leaves room for the board
    with st.expander(class_text.HOW_TO_JOIN.format(code=classroom.code), icon=":material/qr_code_2:", expanded=empty,
                     key=f"class_join_panel_{'open' if empty else 'folded'}"):  # fmt: skip
        invitation(classroom.code)
    _orders(classroom)
    for problem in filter(None, [tab.load(REFUSED)]):
        st.warning(problem)
    tab.store(REFUSED, "")
    if classroom.look is not None:
        st.info(class_text.SHOWN)
    if classroom.is_frozen:
        st.info(class_text.FROZEN)
    opened = next((each for each in classroom.students if each.number == tab.load(OPENED)), None)
    if opened is None:
        component.board(classroom, lambda: _on_press(classroom))
    else:
        _one(classroom, opened, playground)


def _orders(classroom: Classroom) -> None:
    """What can be done with all students."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="class_orders"):
        if classroom.look is None:
            st.button(class_text.SHOW, key="class_show", icon=":material/cast:", on_click=_on_show, args=(classroom,))
        else:
            st.button(class_text.STOP_SHOWING, key="class_stop_showing", icon=":material/cancel_presentation:",
                      type="primary", on_click=CLASSES.show, args=(classroom, None))  # fmt: skip
        st.button(class_text.UNFREEZE if classroom.is_frozen else class_text.FREEZE, key="class_freeze",
                  icon=":material/lock_open:" if classroom.is_frozen else ":material/lock:",
                  type="primary" if classroom.is_frozen else "secondary", on_click=classroom.freeze,
                  args=(not classroom.is_frozen,))  # fmt: skip
        with st.popover(class_text.SET, icon=":material/assignment:"), st.container(key="class_set"):
            _assign(classroom)
        with st.popover(class_text.ASK, icon=":material/help:"), st.container(key="class_ask"):
            _ask(classroom)
        if (question := classroom.question) is not None:
            label, order = (
                (class_text.CLOSE_QUESTION, classroom.close_question)
                if question.is_open
                else (class_text.PUT_AWAY, classroom.put_question_away)
            )
            st.button(label, key="class_close_question", icon=":material/done_all:", on_click=order)
        with st.popover(class_text.MORE, icon=":material/more_horiz:"), st.container(key="class_more"):
            _more(classroom)


def _assign(classroom: Classroom) -> None:
    st.caption(class_text.SET_ABOUT)
    slug = st.selectbox(class_text.SET_LESSON, [preset.slug for preset in list_presets()], key="class_lesson",
                        format_func=lambda slug: app_text.preset(drafts.load_preset(slug)))  # fmt: skip
    st.button(class_text.SET_LESSON_BUTTON, key="class_set_lesson", on_click=_on_lesson, args=(classroom, slug))
    st.button(class_text.SET_MINE, key="class_set_mine", on_click=_on_mine, args=(classroom,))


def _on_lesson(classroom: Classroom, slug: str) -> None:
    classroom.assign(*assignments.of_lesson(slug))


def _on_mine(classroom: Classroom) -> None:
    try:
        classroom.assign(*assignments.of_playground())
    except ClassroomError as error:
        tab.store(REFUSED, str(error))


def _ask(classroom: Classroom) -> None:
    st.caption(class_text.ASK_ABOUT)
    slug = classroom.assignment.link.get("preset", "")
    questions = assignments.predictions(slug)
    if questions:
        st.markdown(f"**{class_text.ASK_LESSON}**")
    for number, question in enumerate(questions):
        st.button(question.asks, key=f"class_ask_{number}", on_click=_on_ask,
                  args=(classroom, question.asks, question.answers, (slug, number)))  # fmt: skip
    with st.form("class_own_question", border=False):
        st.markdown(f"**{class_text.ASK_OWN}**")
        st.text_input(class_text.ASK_QUESTION, max_chars=MAX_QUESTION, key="class_asks", autocomplete="off")
        keys = [f"class_answer_{number}" for number in range(1, MAX_ANSWERS + 1)]
        for number, key in enumerate(keys, 1):
            st.text_input(class_text.ASK_ANSWER.format(number=number), max_chars=MAX_ANSWER, key=key,
                          autocomplete="off")  # fmt: skip
        st.form_submit_button(class_text.ASK_BUTTON, key="class_ask_own", on_click=_on_ask_own,
                              args=(classroom, keys))  # fmt: skip


def _on_ask_own(classroom: Classroom, keys: list[str]) -> None:
    _on_ask(classroom, tab.value("class_asks"), [tab.value(key) for key in keys])


def _on_ask(classroom: Classroom, asks: str, answers: Sequence[str], lesson: tuple[str, int] | None = None) -> None:
    try:
        classroom.ask(asks, answers, lesson)
    except ClassroomError as error:
        tab.store(REFUSED, str(error))


def _more(classroom: Classroom) -> None:
    """Files, another device, and the end."""
    st.caption(class_text.DOWNLOAD_ABOUT)
    st.html(f'<a class="class-download" href="live/board/{classroom.token}/{FILE}" download>{class_text.DOWNLOAD}</a>')
    with st.expander(class_text.ELSEWHERE):
        st.caption(class_text.ELSEWHERE_ABOUT)
        link = address(st.context.url or "", **{LINK_KEY: classroom.key})
        st.html(f'<div class="elsewhere">{qr_code(link, class_text.ELSEWHERE)}</div>')
        st.code(link, language=None, wrap_lines=True)
    with st.expander(class_text.END):
        st.caption(class_text.END_ABOUT)
        st.button(class_text.END_SURE, key="class_end", on_click=CLASSES.end, args=(classroom,))


def _on_show(classroom: Classroom) -> None:
    """Show this tab's run to all students: with the figures of its lesson."""
    slot = state.playground_slot()
    if slot is None:
        tab.store(REFUSED, class_text.NO_RUN)
        return
    lesson = assignments.lesson_shown()
    figures = tabs(slot.run.info, lesson)[0]["figures"] if lesson is not None else ALL_SEE
    CLASSES.show(classroom, Look(slot, figures))


# ---- one student


def _on_press(classroom: Classroom) -> None:
    """A card was pressed; its number comes from the browser, so it is checked."""
    number = tab.pressed(component.BOARD).get("student")
    if any(student.number == number for student in classroom.students):
        tab.store(OPENED, number)


def _on_back() -> None:
    tab.store(OPENED, None)


def _on_remove(student: Student) -> None:
    CLASSES.remove(student)
    _on_back()


def _one(classroom: Classroom, student: Student, playground: Page) -> None:
    """One student's run: it can be looked at, and trained again in the teacher's playground."""
    slot = student.slot
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="class_one"):
        st.button(class_text.BACK_TO_BOARD, key="class_back", icon=":material/arrow_back:", on_click=_on_back)
        st.subheader(app_text.escaped(student.name), anchor=False, width="content")
        if slot is not None:
            st.page_link(playground, label=class_text.OPEN_RUN, icon=":material/model_training:",
                         query_params=link_of(slot))  # fmt: skip
        st.button(class_text.REMOVE, key="class_remove", icon=":material/person_remove:", type="tertiary",
                  on_click=_on_remove, args=(student,))  # fmt: skip
    if slot is None:
        st.info(class_text.NO_RUN_YET.format(name=app_text.escaped(student.name)))
        return
    st.caption(class_text.READ_ONLY)
    look_view.view(_look(student.number, id(slot), slot))


def link_of(slot: RunSlot) -> dict[str, str]:
    """The link that repeats a run up to where it is: the same settings, changes and seed give the same numbers."""
    step = slot.run.status().step
    link = links.to_link(slot.initial, None, slot.speed) | links.format_changes(slot.changes)
    return link | ({"at": str(step)} if step else {})


@st.cache_resource(scope="session", max_entries=1, on_release=LOOKS.release, show_spinner=False)
def _look(number: int, runs: int, _slot: RunSlot) -> Look:
    """This tab's look at a student's runs."""
    look = Look(_slot)
    LOOKS.acquire(look)
    return look


@st.cache_resource(scope="session", max_entries=1, on_release=CLASSES.release, show_spinner=False)
def _attached(token: str, _classroom: Classroom) -> Classroom:
    """Called once per session; a dropped connection clears it, and a reconnect acquires the same class again."""
    CLASSES.acquire(_classroom)
    return _classroom
