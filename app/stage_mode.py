"""The mode of this tab's stage: the network as it trains, the next update in slow motion, or its steps one by one.

In a mode the run stands still. There is one at a time, so that it is one value: the name that a link gives it.
"""

from __future__ import annotations

from app import tab

SLOW, WALK = "slow", "walk"
"""The names of the two modes in a link: slow motion, and "Step through"."""
MODES = (SLOW, WALK)
OFF = "off"
"""What a browser says to leave a mode."""
MOST_UPDATES = 100
"""More updates in one go are not made in a mode."""


def now() -> str:
    """The present mode, one of MODES; empty outside of both."""
    return tab.load("_mode") or ""


def enter(mode: str) -> None:
    """Begin a mode, or leave the present one with an empty name."""
    tab.store("_mode", mode)


def link() -> dict[str, str]:
    """What a link says of the mode."""
    return {now(): "1"} if now() else {}


def requested(component_key: str) -> str | int | None:
    """What a component's browser wants, after a check: the mode to be in, a number of updates to make, or None."""
    wanted = tab.value(component_key).get("mode")
    if type(wanted) is int:
        return wanted if 1 <= wanted <= MOST_UPDATES else None
    if wanted == OFF:
        return ""
    return wanted if isinstance(wanted, str) and wanted in MODES else None
