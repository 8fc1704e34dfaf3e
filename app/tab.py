"""What this tab has stored, by name: the values of widgets, and what pages keep between two interactions."""

from __future__ import annotations

import secrets
from typing import Any

import streamlit as st


def load(name: str) -> Any:
    """The value that a page of this tab has stored under this name; None if there is none."""
    return st.session_state.get(name)


def store(name: str, now: Any) -> None:
    """Store a value in this tab. Under a widget's key, it is what the widget shows when it is drawn next."""
    st.session_state[name] = now


def session() -> str:
    """A name for all that this tab has stored; another one once it was lost, as by a restart of the server."""
    if "_session" not in st.session_state:
        st.session_state._session = secrets.token_hex(8)
    return str(st.session_state._session)


def value(key: str) -> Any:
    """A widget's current value."""
    return st.session_state[key]


def pressed(component_key: str) -> dict[str, Any]:
    """The point of a figure that was clicked; it comes from the browser, so its fields must be checked."""
    point = st.session_state[component_key].get("press")
    return point if isinstance(point, dict) else {}


def write_link(name: str, link: dict[str, str]) -> None:
    """Write a page's link into the address, and keep it under this name."""
    store(name, link)
    if st.query_params.to_dict() != link:
        st.query_params.from_dict(link)
