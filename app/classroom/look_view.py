"""A run of somebody else on the page: the live view without anything that would change the run."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.classroom.look import Look
from app.live import component as live_view

STYLE = Path(__file__).with_name("look.css")


def view(look: Look) -> None:
    """Mount the live view of what is looked at: to one viewer everything, to many what the teacher shows."""
    st.html(STYLE)
    with st.container(key="class_look" if look.picture is None else "class_picture"):
        live_view.look(look.slot, f"look/{look.token}", None if look.picture is None else look.picture.figures)
