"""The page "Glossary": every term of the pages, with a search field; each term has its own address."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app import state
from app.glossary import terms

TITLE = "Glossary"
MARKUP = f"""<div class="glossary">
<label>{terms.FIND} <input type="search" autocomplete="off"></label>
<p role="status"></p>
<dl>{"".join(map(terms.entry, terms.TERMS))}</dl>
</div>"""
STYLE = Path(__file__).with_name("style.css").read_text()
SCRIPT = Path(__file__).with_name("component.js").read_text()


def page() -> None:
    """Draw the page. It has no settings, and the playground stays as it was left."""
    state.leave()
    st.title(terms.HEADING, anchor=False)
    component = st.components.v2.component("glossary", html=MARKUP, css=STYLE, js=SCRIPT, isolate_styles=False)
    component(key="glossary", data={"nothing": terms.NO_MATCH})
