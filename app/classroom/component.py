"""The two components of a class: the board, and the line above a student's page. Each has a socket of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from app.classroom import text as class_text
from app.classroom.board_feed import page_key
from app.classroom.classroom import Classroom, Student
from app.figures import theme
from app.live import assets

BOARD, BAR = "class_board", "class_bar"
HERE = Path(__file__).parent


def _files(name: str) -> dict[str, str]:
    """The markup, the style and the script of a component of this folder."""
    script = assets.script("messages", "cards", "socket")
    html, css, js = ((HERE / f"{name}.{ending}").read_text() for ending in ("html", "css", "js"))
    return {"html": html, "css": css, "js": f"{script}\n{js}"}


BOARD_FILES, BAR_FILES = _files("board"), _files("bar")
SCALE = {"low": theme.FLOOR_DECADE, "high": theme.TOP_DECADE, "colour": theme.GRADIENT}


def board(classroom: Classroom, on_press: Callable[[], None]) -> None:
    """Mount the board.

    Args:
        on_press: called when a student's card was pressed; see `tab.pressed`.
    """
    component = st.components.v2.component("class_board", **BOARD_FILES, isolate_styles=False)
    data = {"token": classroom.token, "words": class_text.BOARD, "scale": SCALE}
    component(key=BOARD, data=data, on_press_change=on_press)


def bar(student: Student, on_leave: Callable[[], None]) -> None:
    """Mount the line above a student's page. It draws the page anew when the teacher has done something to it."""
    component = st.components.v2.component("class_bar", **BAR_FILES, isolate_styles=False)
    classroom = student.classroom
    component(
        key=BAR,
        data={
            "token": student.token,
            "code": classroom.code,
            "name": student.name,
            "words": class_text.BAR,
            "page": page_key(student),
            "shown": classroom.look is not None,
        },
        on_leave_change=on_leave,
        on_changed_change=lambda: None,
    )
