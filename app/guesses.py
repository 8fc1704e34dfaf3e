"""Lessons that wait for a guess: which one waits in this tab, and whose guesses were made or skipped."""

from __future__ import annotations

from app import tab
from engine.preset import Preset

_WAITS, _SETTLED = "_waits_for_guess", "_settled_guesses"


def begin(preset: Preset, *, asked: bool) -> bool:
    """A lesson's run is about to start; True if it waits for the lesson's guess.

    Args:
        asked: whether the lesson's questions are on the screen, and nothing else says how the run goes.
    """
    waits = asked and bool(preset.predict) and preset.slug not in _settled()
    tab.store(_WAITS, preset.slug if waits else "")
    return waits


def waits_for(preset: Preset | None) -> bool:
    """True if this lesson waits for its guess."""
    return preset is not None and tab.load(_WAITS) == preset.slug


def settle(preset: Preset | None) -> None:
    """Its guesses were made or skipped: in this tab it does not wait again. Nothing happens without a lesson."""
    if preset is not None:
        tab.store(_SETTLED, _settled() | {preset.slug})
        tab.store(_WAITS, "")


def _settled() -> frozenset[str]:
    return tab.load(_SETTLED) or frozenset()
