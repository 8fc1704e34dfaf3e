"""The page "Class": for students the way in, for the teacher the board and everything that can be done with it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from app import state
from app.classroom import join, teacher
from app.classroom import text as class_text

TITLE = class_text.TITLE
STYLE = Path(__file__).with_name("style.css")


def page(playground: Page) -> None:
    """Draw the page. The playground stays as it was left, and its run goes on: it may be shown to a class."""
    state.leave()
    st.html(STYLE)
    with st.container(key="class"):
        code = state.link().get("code")
        classroom = join.own_class()
        if code is None:
            st.query_params.clear()  # what stands there would be taken for a link of the playground
        if classroom is not None and code is None:
            teacher.desk(classroom, playground)
            return
        with st.container(horizontal=True, key="class_ways"):
            join.join(playground, code)
            if code is None:
                join.open_class()
