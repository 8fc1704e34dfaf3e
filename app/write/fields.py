"""Fields of the form: each shows one value of the draft, writes it back, and says what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any

import streamlit as st

from app import drafts, tab
from app.drafts import Draft, Place
from app.write import text as write_text
from engine.preset import PresetError, setting_links

PAUSE = "0.4s"  # without a key pressed, after which what was typed counts; commit_typed.js waits as long
MISSING = " is missing."  # as the check of a file ends where something is still to be written
LONGEST = 20_000  # characters of a field


class Form:
    """The form of one draft, while it is drawn.

    Args:
        draft: what it shows and changes.
    """

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.told: set[Place] = set()

    def key(self, place: Place) -> str:
        """The key of the field that shows the value at this place."""
        return f"write_{self.draft.id}_{self.draft.version}_{'_'.join(map(str, place))}"

    # ---- the draft

    def value(self, place: Place) -> Any:
        """The value at this place; None if there is none."""
        value: Any = self.draft.table
        for part in place:
            there = (isinstance(value, dict) and part in value) or (isinstance(value, list) and int(part) < len(value))
            value = value[part] if there else None
        return value

    def put(self, place: Place, value: Any) -> None:
        """Set the value at this place; None takes it away, and what is then an empty table, too."""
        *parents, last = place
        table: Any = self.draft.table
        for part in parents:
            table = table.setdefault(part, {}) if isinstance(table, dict) else table[part]
        if value is not None:
            table[last] = value
            return
        table.pop(last, None)
        if not table and parents and isinstance(parents[-1], str) and parents != ["experiment"]:
            self.put(tuple(parents), None)

    def changed(self) -> None:
        """Check and keep the draft after a change."""
        self.draft.check()
        drafts.keep(self.draft)

    def write(self, place: Place, read: Callable[[Any], Any]) -> None:
        """Called for a field that was changed: put what it says into the draft."""
        shown = tab.value(self.key(place))
        self.draft.unread.pop(place, None)
        try:
            self.put(place, read(shown))
        except ValueError as error:
            self.put(place, None)
            self.draft.unread[place] = (shown, f"{error}.")
        self.changed()

    def add(self, key: str, entry: dict[str, Any]) -> None:
        """Called for the button that adds an entry to a list."""
        self.draft.table.setdefault(key, []).append(entry)
        self.changed()

    def remove(self, place: Place) -> None:
        """Called for the button that removes an entry of a list, or a table; the others are numbered anew."""
        *parents, last = place
        table = self.value(tuple(parents))
        del table[last]
        if not table and parents:
            self.draft.table.pop(str(parents[0]), None)
        self.draft.unread = {
            at: typed for at, typed in self.draft.unread.items() if at[: len(parents)] != tuple(parents)
        }
        self.draft.version += 1
        self.changed()

    # ---- what is wrong

    def wrong(self, *places: Place) -> list[str]:
        """The problems at these places or inside them, each a sentence."""
        return [each.says for each in self.draft.problems if any(each.place[: len(at)] == at for at in places)]

    def tell(self, *places: Place) -> None:
        """Say what is wrong at these places or inside them, unless it was said already."""
        here = [each.says for each in self._untold() if any(each.place[: len(at)] == at for at in places)]
        st.html(problems(here))
        self.told.update(places)

    def untold(self) -> list[str]:
        """The problems that stand beside no field."""
        return [str(each) for each in self._untold()]

    def _untold(self) -> list[PresetError]:
        return [each for each in self.draft.problems if not any(each.place[: len(at)] == at for at in self.told)]

    # ---- fields

    def line(self, place: Place, label: str, *, read: Callable[[str], Any] | None = None,
             show: Callable[[Any], str] = str, **more: Any) -> None:  # fmt: skip
        """A field of one line; `read` makes a value of its text, and raises ValueError where it cannot."""
        self._fill(place, show)
        st.text_input(label, key=self.key(place), on_change=self.write, args=(place, read or filled), live=PAUSE,
                      max_chars=LONGEST, autocomplete="off", **more)  # fmt: skip
        self.tell(place)

    def area(self, place: Place, label: str, height: int, *, read: Callable[[str], Any] | None = None,
             show: Callable[[Any], str] = str, **more: Any) -> None:  # fmt: skip
        """A field of several lines."""
        self._fill(place, show)
        st.text_area(label, key=self.key(place), on_change=self.write, args=(place, read or filled), height=height,
                     max_chars=LONGEST, **more)  # fmt: skip
        self.tell(place)

    def number(self, place: Place, label: str, **more: Any) -> None:
        """A number as text, so that what is no number gets the sentence of the file."""
        self.line(place, label, read=number, show=setting_links.written_value, **more)

    def settings(self, place: Place, label: str) -> None:
        """Changed settings as `name=value, name=value`."""
        self.line(place, label, read=read_settings, show=show_settings, help=write_text.SETTINGS_HELP)

    def pick(self, place: Place, label: str, options: Sequence[Any], show: Callable[[Any], str] = str,
             *, usual: Any = None, then: Callable[[], None] | None = None, **more: Any) -> None:  # fmt: skip
        """A choice of one; a value of the draft that is none of them is offered as it is. `usual` is not written."""
        key, now = self.key(place), self.value(place)
        now = usual if now is None else now
        fill(key, now)
        every = [*options, *([] if now in options or now is None else [now])]

        def read(value: Any) -> Any:
            return None if value == usual else value

        st.selectbox(label, every, key=key, format_func=lambda each: show(each) if each in options else str(each),
                     on_change=then or self.write, args=() if then else (place, read), **more)  # fmt: skip
        self.tell(place)

    def switch(self, place: Place, label: str, on: Any = True) -> None:
        """The value `on`, or none."""
        key = self.key(place)
        fill(key, self.value(place) == on)
        st.toggle(label, key=key, on_change=self.write, args=(place, lambda is_on: on if is_on else None))
        self.tell(place)

    def _fill(self, place: Place, show: Callable[[Any], str]) -> None:
        """Show the draft's value in a field that is drawn for the first time, or again after another page."""
        if tab.load(self.key(place)) is None:
            value = self.value(place)
            typed = self.draft.unread.get(place)
            tab.store(self.key(place), typed[0] if typed else "" if value is None else show(value))

    @contextmanager
    def section(self, name: str, *places: Place, entries: int | None = None, unfolded: bool = False) -> Iterator[None]:
        """A part of the form that can be folded; its title says how much is wrong inside."""
        title = write_text.section(name, len(self.wrong(*places)), entries)
        with st.expander(title, expanded=unfolded, key=f"section_{places[0][0]}_{self.draft.id}"):
            yield


def fill(key: str, value: Any) -> None:
    """Have a widget show this value. One that shows it is left alone: the browser may have a newer one."""
    if tab.load(key) != value:
        tab.store(key, value)


def filled(raw: str) -> str | None:
    """A text; None for one of blanks, which is no text."""
    return raw if raw.strip() else None


def number(raw: str) -> Any:
    """A number; a text that is none is left as it is, for the check to name it."""
    value = setting_links.value("", raw.strip())
    return filled(raw) if value is None else value


def lines(raw: str) -> list[str] | None:
    """A text per line, without empty lines."""
    return [each.strip() for each in raw.splitlines() if each.strip()] or None


def read_settings(raw: str) -> dict[str, Any] | None:
    """Changed settings; None for an empty text.

    Raises:
        ValueError: for what is no `name=value`, and for "none", which no file can hold.
    """
    changes = setting_links.settings(raw) if raw.strip() else {}
    for name, value in changes.items():
        if value is None:
            raise ValueError(f"{name} cannot be none here, only in a link of the text")
    return changes or None


def show_settings(changes: Any) -> str:
    """The inverse of `read_settings`."""
    return setting_links.written(changes) if isinstance(changes, dict) else str(changes)


def problems(sentences: Iterable[str]) -> str:
    """Sentences about what is missing or wrong, as HTML.

    There is an element even without any: a page whose elements come and go moves the field in which somebody types.
    """
    return (
        "".join(
            f'<p class="{"missing" if says.endswith(MISSING) else "problem"}" role="status">{escape(says)}</p>'
            for says in sentences
        )
        or '<i class="no-problem"></i>'
    )
