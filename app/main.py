"""Page configuration and navigation, nothing else. The server runs this script once per session and interaction."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app import text
from app.compare import page
from app.compare import text as compare_text
from app.glossary import page as glossary_page
from app.glossary import terms
from app.learn import page as learn
from app.playground import page as playground
from app.replay import page as replay
from app.replay import player
from app.slow_motion import page as slow
from app.slow_motion import text as slow_motion_text
from app.step_through import page as steps
from app.step_through import text as step_through_text

HERE = Path(__file__).parent

st.set_page_config(page_title=text.PAGE_TITLE, page_icon=str(HERE / "icon.svg"), layout="wide")
st.html(HERE / "page.css")
PLAYGROUND = st.Page(playground.page, title=text.PLAYGROUND, url_path="playground", default=True)
LEARN = st.Page(lambda: learn.page(PLAYGROUND), title=text.LEARN, url_path="learn")
SLOW = st.Page(slow.page, title=slow_motion_text.TITLE, url_path="slow")
STEPS = st.Page(steps.page, title=step_through_text.TITLE, url_path="steps")
COMPARE = st.Page(page.page, title=compare_text.TITLE, url_path="compare")
REPLAY = st.Page(lambda: replay.page(PLAYGROUND), title=player.TITLE, url_path="recording")
GLOSSARY = st.Page(glossary_page.page, title=terms.TITLE, url_path="glossary")
st.navigation([PLAYGROUND, LEARN, SLOW, STEPS, COMPARE, REPLAY, GLOSSARY], position="top").run()
