"""The glossary: every word that the pages use, found by typing a part of it; each has an address of its own."""

from __future__ import annotations

import json

import streamlit as st

from app import glossary, state

MARKUP = f"""<div class="glossary">
<label>{glossary.FIND} <input type="search" autocomplete="off"></label>
<p role="status"></p>
<dl>{"".join(map(glossary.entry, glossary.TERMS))}</dl>
</div>"""
STYLE = """
.stApp:has(.glossary) :is([data-testid="stSidebar"], [data-testid="stExpandSidebarButton"]) { display: none; }
.stApp:has(.glossary) [data-testid="stMain"] [data-testid="stHeading"] { padding-left: 0; }
.glossary { color: var(--st-text-color); font: 15px/1.5 var(--st-font); }
.glossary input { margin-left: 8px; padding: 7px 12px; width: 260px; border: 1px solid var(--st-text-color);
  border-radius: 6px; color: inherit; background: var(--st-background-color); font: inherit; }
.glossary > p { min-height: 1.5em; margin: 6px 0; font-size: 14px; }
.glossary dl { margin: 0; columns: 330px; column-gap: 44px; }
.glossary dl > div { break-inside: avoid; padding: 10px 12px; scroll-margin-top: 5rem; border-radius: 6px; }
.glossary dl > .here { background: var(--st-secondary-background-color); }
.glossary dt { font-weight: 600; }
.glossary dt a { color: inherit; text-decoration: none; }
.glossary dt a:hover { text-decoration: underline; text-underline-offset: 3px; }
.glossary dt code { margin-left: 6px; padding: 0; color: inherit; background: none; font-size: 13px; font-weight: 400;
  opacity: 0.8; }
.glossary dd { margin: 0; }
.glossary dd a { display: inline-block; color: var(--st-primary-color); text-underline-offset: 3px; }
.glossary :is(a, input):focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px;
  border-radius: 4px; }
@media (pointer: coarse) { .glossary input { padding: 12px; } .glossary dd a { display: block; padding: 8px 0; } }
"""
SCRIPT = (
    f"const nothing = {json.dumps(glossary.NOTHING)};"
    + """
export default function ({ parentElement: page }) {
  const field = page.querySelector('input');
  const entries = [...page.querySelectorAll('dl > div')];
  const find = () => {
    const sought = field.value.trim().toLowerCase();
    const named = entries.filter((entry) => entry.dataset.words.includes(sought));
    const kept = named.length ? named : entries.filter((entry) => entry.textContent.toLowerCase().includes(sought));
    for (const entry of entries) entry.hidden = !kept.includes(entry);
    page.querySelector('[role=status]').textContent = kept.length ? '' : nothing;
  };
  const go = () => { // the page is built after the browser has looked for the place that its address names
    const sought = decodeURIComponent(location.hash.slice(1));
    for (const entry of entries) entry.classList.toggle('here', entry.id === sought);
    const place = entries.find((entry) => entry.id === sought);
    if (!place) return;
    if (place.hidden) field.value = '';
    find();
    place.scrollIntoView({ block: 'center' });
  };
  field.oninput = find;
  window.addEventListener('hashchange', go);
  go();
  return () => window.removeEventListener('hashchange', go);
}
"""
)


def page() -> None:
    """Draw the page. It has no settings, and the playground is found again as it was left."""
    state.leave()
    st.title(glossary.HEADING, anchor=False)
    component = st.components.v2.component("glossary", html=MARKUP, css=STYLE, js=SCRIPT, isolate_styles=False)
    component(key="glossary")
