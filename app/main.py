"""Page configuration and navigation, nothing else. The server runs this script once per session and interaction.

Adding a page is a folder with a `page.py`, its import here and its line in PAGES.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from app import stage_mode, state, text
from app.allowance import RefusedError
from app.classroom import attendance
from app.classroom import page as classroom
from app.compare import page as compare
from app.first_minute import page as first_minute
from app.first_minute import visit
from app.glossary import page as glossary
from app.learn import page as learn
from app.learn import progress
from app.map import page as map_page
from app.own_data import page as own_data
from app.playground import page as playground
from app.replay import page as replay
from app.write import page as write

HERE = Path(__file__).parent

st.set_page_config(page_title=text.PAGE_TITLE, page_icon=str(HERE / "icon.svg"), layout="wide")
st.html(HERE / "page.css")


def _leads_to(mode: str) -> Callable[[], None]:
    """The page that a mode of the stage once was: links to it lead there, with the network that they name."""

    def page() -> None:
        network = {name: value for name, value in state.playground_link().items() if name not in stage_mode.MODES}
        st.switch_page(PLAYGROUND, query_params={**network, mode: "1"})

    return page


PLAYGROUND = st.Page(
    lambda: playground.page(WRITE, OWN_DATA, MAP), title=text.PLAYGROUND, url_path="playground", default=True
)
FIRST_MINUTE = st.Page(
    lambda: first_minute.page(PLAYGROUND), title=first_minute.TITLE, url_path="first", visibility="hidden"
)
WRITE = st.Page(lambda: write.page(PLAYGROUND), title=write.TITLE, url_path="write", visibility="hidden")
CLASS = st.Page(lambda: classroom.page(PLAYGROUND), title=classroom.TITLE, url_path="class")
OWN_DATA = st.Page(lambda: own_data.page(PLAYGROUND), title=own_data.TITLE, url_path="data")
MAP = st.Page(lambda: map_page.page(PLAYGROUND), title=map_page.TITLE, url_path="map")
PAGES = [
    PLAYGROUND,
    FIRST_MINUTE,
    st.Page(lambda: learn.page(PLAYGROUND, FIRST_MINUTE, WRITE), title=text.LEARN, url_path="learn"),
    OWN_DATA,
    WRITE,
    st.Page(_leads_to(stage_mode.SLOW), title="Slow motion", url_path="slow", visibility="hidden"),
    st.Page(_leads_to(stage_mode.WALK), title="Step through", url_path="steps", visibility="hidden"),
    st.Page(compare.page, title=compare.TITLE, url_path="compare"),
    MAP,
    st.Page(lambda: replay.page(PLAYGROUND), title=replay.TITLE, url_path="recording"),
    CLASS,
    st.Page(glossary.page, title=glossary.TITLE, url_path="glossary"),
]
page = st.navigation(PAGES, position="top")
# On a narrow screen Streamlit moves its navigation into the sidebar, which most pages do not have: there the style
# sheet shows this menu in its place. Each page has one of its own: that of the page before would stay open.
with st.container(key="pages"), st.popover(text.PAGES, key=f"menu_{page.url_path}", icon=":material/menu:"):
    for each in PAGES:
        if each.visibility == "visible":
            st.page_link(each)
if visit.is_first({progress.COOKIE}) and page is PLAYGROUND:
    st.switch_page(FIRST_MINUTE)
try:
    if attendance.attend(PLAYGROUND, CLASS, page):
        page.run()
except RefusedError as refused:
    st.warning(str(refused))
attendance.note_run()
