"""The live view's JavaScript, style and markup, read once from the files of this folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from app.live import timeline
from app.stage.bundle import bundle

PLOTLY_ROUTE = "plotly.min.js"
HERE = Path(__file__).parent


def script(*parts: str) -> str:
    """Join parts of this folder's JavaScript: each defines a few names, the last one is the component's entry point."""
    return "\n".join((HERE / f"{part}.js").read_text() for part in parts)


STAGE = HERE.parent / "stage"
SCRIPT = "\n".join(
    [
        script("messages", "plotly", "theme", "enlarge", "table", "save", "cards", "cursor", "plots"),
        script("panel", "chains", "tabs", "timeline", "socket"),
        bundle("board.js"),
        script("view"),
    ]
)  # fmt: skip
STYLE = "\n".join((HERE / f"{part}.css").read_text() for part in ("live", "timeline"))
STAGE_SHEETS = ("stage", "walk", "microscope/microscope")
LIVE_STYLE = "\n".join([STYLE, *((STAGE / f"{sheet}.css").read_text() for sheet in STAGE_SHEETS)])
SHARED = {"stage": STAGE / "markup.html", "figures": HERE / "figures.html", "timeline": HERE / "timeline.html"}
"""What the markup of several views has in common, by its place in theirs."""


def markup(file: Path, words: Mapping[str, str]) -> str:
    """The markup of a view.

    Args:
        file: with {places} for the parts of SHARED and for words.
        words: by place in the file or in a part.
    """
    found = file.read_text()
    for place, part in SHARED.items():
        found = found.replace(f"{{{place}}}", part.read_text())
    for place, word in {"hold": timeline.HOLD, **words}.items():
        found = found.replace(f"{{{place}}}", word)
    return found


MARKUP = markup(
    HERE / "live.html",
    {"timeline_of": "Timeline of this run", "timeline_step": "Training step", "timeline_newest": "live"},
)
