"""Page configuration and navigation, nothing else. The server runs this script once per session and interaction.

Adding a page is a folder with a `page.py`, its import here and its line in PAGES.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app import state, text
from app.compare import page as compare
from app.first_minute import page as first_minute
from app.first_minute import visit
from app.glossary import page as glossary
from app.learn import page as learn
from app.learn import progress
from app.playground import page as playground
from app.replay import page as replay
from app.step_through import page as step_through
from app.write import page as write

HERE = Path(__file__).parent

st.set_page_config(page_title=text.PAGE_TITLE, page_icon=str(HERE / "icon.svg"), layout="wide")
st.html(HERE / "page.css")


def _in_slow_motion() -> None:
    """The page that slow motion once was: links to it lead to where it is now, with the network that they name."""
    st.switch_page(PLAYGROUND, query_params={**state.playground_link(), "slow": "1"})


PLAYGROUND = st.Page(lambda: playground.page(WRITE), title=text.PLAYGROUND, url_path="playground", default=True)
FIRST_MINUTE = st.Page(
    lambda: first_minute.page(PLAYGROUND), title=first_minute.TITLE, url_path="first", visibility="hidden"
)
WRITE = st.Page(lambda: write.page(PLAYGROUND), title=write.TITLE, url_path="write", visibility="hidden")
PAGES = [
    PLAYGROUND,
    FIRST_MINUTE,
    st.Page(lambda: learn.page(PLAYGROUND, FIRST_MINUTE, WRITE), title=text.LEARN, url_path="learn"),
    WRITE,
    st.Page(_in_slow_motion, title="Slow motion", url_path="slow", visibility="hidden"),
    st.Page(step_through.page, title=step_through.TITLE, url_path="steps"),
    st.Page(compare.page, title=compare.TITLE, url_path="compare"),
    st.Page(lambda: replay.page(PLAYGROUND), title=replay.TITLE, url_path="recording"),
    st.Page(glossary.page, title=glossary.TITLE, url_path="glossary"),
]
page = st.navigation(PAGES, position="top")
# On a narrow screen Streamlit moves its navigation into the sidebar, which most pages do not have: there the style
# sheet shows this menu in its place.
with st.popover(text.PAGES, key="pages", icon=":material/menu:"):
    for each in PAGES:
        if each.visibility == "visible":
            st.page_link(each)
if visit.is_first({progress.COOKIE}) and page is PLAYGROUND:
    st.switch_page(FIRST_MINUTE)
page.run()
