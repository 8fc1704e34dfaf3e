"""A row of buttons of which one is always pressed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from app import tab


def _nothing() -> None:
    """What follows a change that is only read."""


def segments(
    label: str,
    options: Sequence[Any],
    *,
    key: str,
    on_change: Callable[..., object] = _nothing,
    args: tuple[Any, ...] = (),
    **look: Any,
) -> Any:
    """Draw the row; the option that is pressed, at first the first one.

    A busy browser may answer before it has drawn the buttons, and says then that none is pressed. The one before stays
    pressed, and nothing was changed.

    Args:
        key: under which the tab holds the option that is pressed.
        on_change, args: as `st.segmented_control` takes them. look: its other arguments.
    """
    if tab.load(key) is None:
        tab.store(key, options[0])
    st.segmented_control(label, options, key=key, required=True, on_change=_on_change,
                         args=(key, tab.value(key), on_change, args), **look)  # fmt: skip
    return tab.value(key)


def _on_change(key: str, before: Any, on_change: Callable[..., object], args: tuple[Any, ...]) -> None:
    if tab.value(key) is None:
        tab.store(key, before)
    else:
        on_change(*args)
