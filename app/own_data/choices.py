"""A widget for every guess of the reader, beside what it decides. A change of it reads the file again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app import tab
from app.own_data import text as own_text
from app.own_data.desk import Desk
from engine.data import KINDS, Dataset
from engine.data.choices import CHOICES, Choice
from engine.data.content import SequencesContent

FILE = ("encoding", "delimiter", "decimal", "header", "dayfirst", "sheet")
"""How the file itself is read, whatever its kind."""
OF_TEXT, EXCEL = ("encoding", "delimiter"), (".xlsx", ".xlsm")
ORDER = ("source", "target", "time", "inputs", "ids", "transform", "means", "horizon", "window", "period")
"""The order of the others; those that are not here come last."""
IN_STEPS = ("horizon", "window", "period")
"""Choices in steps, which mean something else as soon as a step is another one."""
NUMBERS = ("number", "counter", "constant")
COLUMN_TYPES = {"target": NUMBERS, "inputs": NUMBERS, "time": ("time", "number", "counter", "text", "label", "other")}
"""The types of columns, as in `engine.data.table`, that a choice of a series may name."""


def kind(desk: Desk, dataset: Dataset) -> None:
    """The kind of the data."""
    key = f"own_kind_{desk.version}"
    st.selectbox(own_text.KIND, KINDS, KINDS.index(dataset.kind), key=key, format_func=lambda one: own_text.KINDS[one],
                 label_visibility="collapsed", on_change=on_kind, args=(desk, key), filter_mode=None)  # fmt: skip


def kind_of_failed(desk: Desk) -> None:
    """The kind of a file that cannot be read as what it seems to be."""
    key = f"own_kind_failed_{desk.version}"
    st.selectbox(own_text.KIND, KINDS, KINDS.index(desk.kind) if desk.kind else None, key=key,
                 format_func=lambda one: own_text.KINDS[one], placeholder=own_text.AS_GUESSED, on_change=on_kind,
                 args=(desk, key), filter_mode=None)  # fmt: skip


def on_kind(desk: Desk, key: str) -> None:
    """Read the file as another kind; of the choices those stay that matter to it."""
    chosen = tab.value(key)
    idle = {name: None for name in desk.choices if chosen not in CHOICES[name].kinds}
    columns = {name: None for name in desk.choices if CHOICES[name].accepts.form in ("column", "columns")}
    desk.choose({**idle, **columns}, chosen)


def of_kind(desk: Desk, dataset: Dataset) -> None:
    """What is decided for data of this kind, two widgets a row."""
    with st.container(key="own_choices", horizontal=True, gap="small"):
        for name in offered(dataset):
            widget(desk, dataset, CHOICES[name])


def found(dataset: Dataset, name: str) -> Any:
    """What the reader has found or was told; None where it does not say."""
    if name == "thin" and isinstance(dataset.content, SequencesContent):
        return dataset.content.thinned
    return dataset.summary.get(name)


def offered(dataset: Dataset) -> list[str]:
    """The choices that matter to data of this kind, in order."""
    names = [name for name, choice in CHOICES.items() if choice.kinds != KINDS and dataset.kind in choice.kinds]
    told = [
        name for name in names if found(dataset, name) is not None or name in {**dataset.summary, **dataset.choices}
    ]
    return sorted(told, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


def of_file(desk: Desk, dataset: Dataset | None) -> None:
    """How the file itself is read."""
    is_excel = desk.sources[0][0].lower().endswith(EXCEL)
    for name in FILE:
        idle = (name in OF_TEXT) if is_excel else name == "sheet"
        if not idle:
            widget(desk, dataset, CHOICES[name])


def widget(desk: Desk, dataset: Dataset | None, choice: Choice) -> None:
    """The widget of one choice; it shows what was chosen, else what was found."""
    key = f"own_{choice.name}_{desk.version}"
    now = desk.choices.get(choice.name, found(dataset, choice.name) if dataset else None)
    wide = isinstance(now, list) and len(now) > 2  # then it takes a row of its own
    with st.container(key=f"own_{'wide' if wide else 'choice'}_{choice.name}"):
        DRAW[choice.accepts.form](desk, dataset, choice, key, now)


def on_change(desk: Desk, name: str, key: str, read: Callable[[Any], Any] = lambda value: value) -> None:
    """Read the file with another choice; where it makes a step another one, what was chosen in steps is forgotten."""
    forgotten = dict.fromkeys(IN_STEPS if name == "means" else ())
    desk.choose({**forgotten, name: read(tab.value(key))}, desk.kind)


# ---- a widget for each form of value


def _one_of(desk: Desk, dataset: Dataset | None, choice: Choice, key: str, now: Any) -> None:
    show, options = SHOWN.get(choice.name, {}), [*choice.accepts.options]
    if choice.name == "means" and dataset is not None:
        show = own_text.means(dataset.summary)
        options = [*show]
    if now is not None and now not in options:
        options.insert(0, now)
    st.selectbox(choice.says, options, options.index(now) if now is not None else None, key=key,
                 format_func=lambda value: show.get(value, str(value)), placeholder=own_text.AS_GUESSED,
                 on_change=on_change, args=(desk, choice.name, key), filter_mode=None)  # fmt: skip


def _yes_or_no(desk: Desk, dataset: Dataset | None, choice: Choice, key: str, now: Any) -> None:
    options = [True, False]
    st.selectbox(choice.says, options, None if now is None else options.index(bool(now)), key=key,
                 format_func=lambda value: own_text.YES if value else own_text.NO, placeholder=own_text.AS_GUESSED,
                 on_change=on_change, args=(desk, choice.name, key), filter_mode=None)  # fmt: skip


def _number(desk: Desk, dataset: Dataset | None, choice: Choice, key: str, now: Any) -> None:
    low, high = int(choice.accepts.low), int(choice.accepts.high)
    if isinstance(now, (int, float)):
        now = min(max(int(now), low), high)
    empty = 0 if choice.name == "period" else None  # 0: none at all
    st.number_input(choice.says, low, high, now if isinstance(now, int) else None, 1, key=key,
                    placeholder=own_text.NONE if choice.name == "period" else own_text.AS_GUESSED, on_change=on_change,
                    args=(desk, choice.name, key, lambda value: empty if value is None else value))  # fmt: skip


def _text(desk: Desk, dataset: Dataset | None, choice: Choice, key: str, now: Any) -> None:
    if choice.name == "time" and dataset is not None:
        _column(desk, dataset, choice, key, now)
        return
    st.text_input(choice.says, str(now or ""), key=key, placeholder=own_text.AS_GUESSED,
                  on_change=on_change, args=(desk, choice.name, key, lambda value: value or None),
                  autocomplete="off")  # fmt: skip


def _column(desk: Desk, dataset: Dataset | None, choice: Choice, key: str, now: Any) -> None:
    options = columns(dataset, choice.name)
    if choice.accepts.none:
        options, now = ["", *options], now or ""
    if now is not None and now not in options:
        options.insert(0, now)
    st.selectbox(choice.says, options, options.index(now) if now is not None else None, key=key,
                 format_func=lambda column: column or own_text.ORDER_OF_ROWS, placeholder=own_text.NONE,
                 on_change=on_change, args=(desk, choice.name, key))  # fmt: skip


def _columns(desk: Desk, dataset: Dataset | None, choice: Choice, key: str, now: Any) -> None:
    now = [*(now or [])]
    options = [*dict.fromkeys([*now, *columns(dataset, choice.name)])]
    st.multiselect(choice.says, options, now, key=key, placeholder=own_text.NONE, on_change=on_change,
                   args=(desk, choice.name, key, list))  # fmt: skip


DRAW = {
    "one of": _one_of,
    "encoding": _one_of,
    "yes or no": _yes_or_no,
    "whole number": _number,
    "text": _text,
    "column": _column,
    "columns": _columns,
}
SHOWN: dict[str, dict[Any, str]] = {
    "transform": own_text.TRANSFORMS,
    "delimiter": own_text.DELIMITERS,
    "decimal": own_text.DECIMALS,
}


def columns(dataset: Dataset | None, name: str) -> list[str]:
    """The columns of the file that a choice may name, as far as the reader has told of them."""
    if dataset is None:
        return []
    s = dataset.summary
    told = s.get("columns")
    if isinstance(told, dict):
        fitting = COLUMN_TYPES.get(name) if dataset.kind == "series" else None
        return [column for column, kind in told.items() if fitting is None or kind in fitting]
    used = [s.get("target"), *(s.get("inputs") or []), *(s.get("ids") or []), s.get("text"), s.get("label"),
            s.get("source"), s.get("time")]  # fmt: skip
    return [*dict.fromkeys(str(each) for each in used if each is not None)]
