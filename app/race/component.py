"""What the views of a race share: the script, style and markup of its lanes, and what the browser is told of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.figures.compare.catalogue import LANES
from app.live import assets
from app.race.lanes import Race
from app.stage.bundle import bundle
from app.stage.description import describe
from app.stage.microscope.description import configuration

HERE = Path(__file__).parent
SCRIPT = "\n".join([bundle("board.js"), (HERE / "lanes.js").read_text()])
"""The class `Lanes`; it needs `make` of the live view's cards.js before it."""
STYLE = assets.LIVE_STYLE + (HERE / "lanes.css").read_text()
STAGE = (assets.STAGE / "markup.html").read_text().replace(' id="the-stage"', "")
"""The markup of one lane's network, without the id that only a single one may have."""


def lanes(race: Race, names: list[str]) -> list[dict[str, Any]]:
    """What the browser is told of each lane before the first frames.

    Args:
        names: what the lanes are called on this page.
    """
    return [
        {
            "name": name,
            "colour": style.colour,
            "dash": style.dash,
            "mark": style.mark,
            "stage": describe(lane.run.info),
            "cell": configuration(lane.run.info.cell_kind, lane.run.info.nonlinearity),
        }
        for lane, name, style in zip(race.lanes, names, LANES, strict=False)
    ]
