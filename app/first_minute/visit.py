"""Whether somebody is here for the first time."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from app import state, tab

COOKIE = "first_minute"
"""The cookie that view.js writes once the first minute was on the screen."""
_ENTERED = "_entered"


def is_first(others: Collection[str] = ()) -> bool:
    """True for the first page of a tab whose address asks for nothing, in a browser that was not here before.

    It is asked at every run of the app's script, whatever page it draws: a page that is opened later in the same tab is
    no first visit.

    Args:
        others: further cookies that say that this browser was here before.
    """
    entered = bool(tab.load(_ENTERED))
    tab.store(_ENTERED, True)
    return not entered and not state.link() and not known(st.context.cookies, (COOKIE, *others))


def known(cookies: Collection[str], names: Collection[str]) -> bool:
    """True if the browser has one of these cookies."""
    return any(name in cookies for name in names)
