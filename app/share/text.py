"""The text of the buttons "Share" and "Present"."""

from __future__ import annotations

from urllib.parse import urlencode

from app import setting_help

SHARE = "Share"
PRESENT = "Present"
STOP_PRESENTING = "Stop presenting"
ABOUT = (
    "The link contains the whole experiment: every setting, the seed, and the changes made during training. Opened on "
    "this machine, it gives the same frames."
)
OWN_DATA = (
    "It does not carry your file, only its name and fingerprint: whoever opens it is asked to bring the same file."
)
DRAFT = "The lesson is a draft that only you can open, so the link carries its settings alone."
AT = "Open it paused at a step"
AT_STEP = "Step"
FOR_A_PROJECTOR = "Open it for a projector: large, without settings"
HIDE = "Hide"
HIDE_NOTHING = "nothing"
COPY = "Copy link"
COPIED = "Copied"
COPY_BY_HAND = "Press Ctrl+C to copy"
PARTS = {"lesson": "The lesson's text", "cure": "The cure"}
"""What can be hidden besides the controls that have a label."""


def part(key: str) -> str:
    """The name of a control, or of a part of the page, on the screen."""
    return PARTS.get(key) or setting_help.LABELS[key]


def address(page: str, link: dict[str, str]) -> str:
    """The complete link: the page's address with the settings as its query."""
    return f"{page.split('?')[0]}?{urlencode(link)}"
