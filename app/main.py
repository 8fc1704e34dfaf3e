"""Page configuration and navigation, nothing else. The server runs this script once per session and interaction."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app import text
from app.views import playground

HERE = Path(__file__).parent

st.set_page_config(page_title=text.PAGE_TITLE, page_icon=str(HERE / "icon.svg"), layout="wide")
st.html(HERE / "page.css")
st.navigation([st.Page(playground.page, title="Playground", url_path="playground", default=True)], position="top").run()
