"""What the page says about links to share, and about showing itself to a room."""

from __future__ import annotations

from urllib.parse import urlencode

from app import text

SHARE = "Share"
PRESENT = "Present"
STOP_PRESENTING = "Back to the desk"
ABOUT = (
    "The link holds the whole experiment: every setting, the seed, and what was changed on the way. It gives the same "
    "frames."
)
AT = "Open it paused at a step"
AT_STEP = "Step"
FOR_A_ROOM = "Open it for a projector: large, without settings"
HIDE = "Keep out of sight"
HIDE_NOTHING = "nothing"
COPY = "Copy link"
COPIED = "Copied"
COPY_BY_HAND = "Press Ctrl+C to copy"
PARTS = {"lesson": "The lesson's text", "cure": "The cure"}
"""What can be hidden besides the controls that have a label."""


def part(key: str) -> str:
    """A control, or a part of the page, by its name on the screen."""
    return PARTS.get(key) or text.LABELS[key]


def address(page: str, link: dict[str, str]) -> str:
    """The whole link: where this page stands, and what it shall open."""
    return f"{page.split('?')[0]}?{urlencode(link)}"
