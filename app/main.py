"""Page configuration and navigation, nothing else. The server runs this script once per session and interaction."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app import stepping, text
from app.views import learn, playground, steps

HERE = Path(__file__).parent

st.set_page_config(page_title=text.PAGE_TITLE, page_icon=str(HERE / "icon.svg"), layout="wide")
st.html(HERE / "page.css")
PLAYGROUND = st.Page(playground.page, title=text.PLAYGROUND, url_path="playground", default=True)
LEARN = st.Page(lambda: learn.page(PLAYGROUND), title=text.LEARN, url_path="learn")
STEPS = st.Page(steps.page, title=stepping.TITLE, url_path="steps")
st.navigation([PLAYGROUND, STEPS, LEARN], position="top").run()
