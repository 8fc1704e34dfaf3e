"""What can be found by typing: every setting with a widget, and every value that has a name of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app import text
from app.controls import Control
from app.find_setting.text import ALSO, VALUES_ALSO
from engine.experiment import CHOICES

ONLY_THE_SETTING = ("task",)
"""The settings whose values are not found: their own list is long and can be searched in."""


@dataclass(frozen=True)
class Entry:
    """A setting, or one of its values.

    Args:
        value: which the setting takes if it is chosen; "" for the setting alone.
        words: what is shown, and what typed words are compared with.
    """

    control: Control
    value: str
    words: str


def entries(controls: Iterable[Control]) -> dict[str, Entry]:
    """All entries of these settings by their keys, the settings first."""
    shown = list(controls)
    return {control.key: _setting(control) for control in shown} | {
        f"{control.key}={value}": _value(control, value) for control in shown for value in _named_values(control.key)
    }


def _named_values(name: str) -> list[str]:
    return [] if name in ONLY_THE_SETTING else [each for each in CHOICES.get(name, ()) if isinstance(each, str)]


def _setting(control: Control) -> Entry:
    names = [control.key, *filter(None, [ALSO.get(control.key, "")])]
    return Entry(control, "", f"{text.LABELS[control.key]} · {', '.join(names)}")


def _value(control: Control, value: str) -> Entry:
    also = VALUES_ALSO.get((control.key, value), "")
    return Entry(control, value, f"{control.show(value)} · {text.LABELS[control.key]}{f' · {also}' if also else ''}")
