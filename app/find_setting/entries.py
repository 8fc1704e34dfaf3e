"""What can be found by typing: every setting with a widget, and every value that has a name of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app import setting_help
from app.controls import Control
from engine.experiment import CHOICES
from engine.setting_synonyms import ALSO, VALUES_ALSO

ONLY_THE_SETTING = ("task", "bug")
"""The settings whose values are not found: data have a list of their own, and nobody shall get a bug by a slip."""


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
    return Entry(control, "", f"{setting_help.LABELS[control.key]} · {', '.join(names)}")


def _value(control: Control, value: str) -> Entry:
    also = VALUES_ALSO.get((control.key, value), "")
    return Entry(
        control, value, f"{control.show(value)} · {setting_help.LABELS[control.key]}{f' · {also}' if also else ''}"
    )
