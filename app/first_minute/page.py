"""The page "The first minute": two networks on one sentence, a button, and a slider for the words in between.

Measured with what `setup.py` says (16 units, batches of 32, Adam with 0.003, at most 800 updates), held-out
sentences; `tests/app/first_minute/test_learning.py`, marked `full`, holds the lengths at both ends:

| words in between | RNN: solved after, seeds 0 to 4 | RNN as the page shows it | LSTM as the page shows it |
|---|---|---|---|
| 0 to 4 | 150 each | 150 | 150 |
| 5 | 300, 150, 150, 150, 150 | 150 | 150 |
| 6 | 150, 150, 150, 300, 150 | 300 | 150 |
| 8 | no, 300, 450, no, 300 | 300 | 150 |
| 10 | no, 600, 750, no, no | no, 39% right | 150 |
| 12 | no, 750, no, no, no | no, 34% right | 150 |
| 15, 20, 25, 30 | no, 29% to 42% right | no, 32% to 38% right | 150, 150, 150, 300 |

As the page shows it the RNN learns every length up to 8 and none from 9 on (at 9 and 11 a part), the LSTM every one:
after 300 updates at 21 and 30 words, after 150 at all others. The LSTM of seeds 0 to 4 needs 150 at 0, 5, 10, 20, 30.
What is solved is looked up every 150 updates. At 40 updates a second, as a machine with two cores makes with ease, the
LSTM has learned 30 words after 8 seconds, and 800 updates take 20.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from app import links, state, tab, text
from app.first_minute import component
from app.first_minute import text as first_text
from app.first_minute.registry import RACES
from app.first_minute.setup import MAX_WORDS, FirstMinute, read_words
from app.race.registry import RaceSlot

TITLE = first_text.TITLE
STYLE = Path(__file__).with_name("style.css")
WORDS, LINK, SLOT, REFUSED = "_first_words", "_first_link", "_first_slot", "_first_refused"


def page(playground: Page) -> None:
    """Draw the page from top to bottom; the race goes on meanwhile. "Open the lab" leads to `playground`."""
    state.leave()
    if (run := state.playground_slot()) is not None and not run.paused:
        run.pause()
    words = words_in_between()
    slot = slot_of(FirstMinute(words))
    st.html(STYLE)
    with st.container(key="first_minute"):
        st.title(first_text.QUESTION, anchor=False)
        st.markdown(first_text.ASKS)
        if tab.load(REFUSED):
            st.warning(tab.load(REFUSED))
        component.view(slot.race, words, on_press)
        with st.container(key="to_the_lab", horizontal=True, vertical_alignment="center", gap="small"):
            rnn = slot.race.setup.lanes[0]
            st.page_link(playground, label=first_text.LAB, icon=":material/science:", width="content",
                         query_params=links.to_link(rnn, None, "normal"))  # fmt: skip
            st.caption(first_text.LAB_SAYS)
    write_link(words)


def words_in_between() -> int:
    """The number of words: from the address if it is not the last one that was written, else as it was left."""
    link = state.link()
    if tab.load(WORDS) is None or (link and link != tab.load(LINK)):
        raw = link.get("words", "0")
        asked = read_words(raw)
        shown = asked if asked is not None else tab.load(WORDS) or 0
        refused = first_text.WORDS_REFUSED.format(got=text.plain(raw), most=MAX_WORDS, shown=shown)
        tab.store(REFUSED, "" if asked is not None else refused)
        tab.store(WORDS, shown)
    return tab.load(WORDS)


def write_link(words: int) -> None:
    """Write the number of words into the page's address, so that a reload finds it."""
    tab.write_link(LINK, {"words": str(words)})


@st.cache_resource(scope="session", on_release=RACES.release, show_spinner=False)
def _attached(_owner: str, _setup: FirstMinute, _slot: RaceSlot | None) -> RaceSlot:
    """Called once per session; a dropped connection clears it, and a reconnect acquires the same slot again."""
    return RACES.attach(_owner, _setup, _slot)


def slot_of(setup: FirstMinute) -> RaceSlot:
    """This tab's slot, after making its race one of this setup. One that was played before starts at once."""
    current = _attached(st.context.cookies.get("playground", ""), setup, tab.load(SLOT))
    tab.store(SLOT, current)
    before = current.race
    current.enter(setup)
    if current.race is not before and before.step > 0:
        current.race.train()
    return current


def on_press() -> None:
    """The button was pressed or the slider moved. What it says comes from the browser, so it is checked."""
    pressed, slot = tab.pressed(component.KEY), tab.load(SLOT)
    if (words := read_words(pressed.get("words"))) is not None:
        tab.store(WORDS, words)
        tab.store(REFUSED, "")
    elif pressed.get("order") == "play":
        race = slot.race
        if race.snapshots is not None and first_text.have_results(race.snapshots):
            slot.reset()
        slot.race.train()
    elif pressed.get("order") == "pause":
        slot.race.pause()
