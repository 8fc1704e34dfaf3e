"""The figures of several networks for the browser: as templates without data, and in tabs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.figures.base import GRADIENT, LEARNING
from app.figures.compare.base import RaceFigure
from engine.frame import RunInfo

NUMBERS = "In numbers"


def templates(
    figures: Mapping[str, RaceFigure], infos: Sequence[RunInfo], names: Sequence[str]
) -> list[dict[str, Any]]:
    """The figures without data, as JSON values: what the browser draws before the first frames.

    Args:
        figures: by name. infos, names: of every lane.
    """
    return [
        {
            "name": name,
            "over": figure.over,
            "title": figure.title,
            "look_for": figure.look_for,
            "label": figure.label,
            "how": figure.how,
            "fits": figure.fits,
            "needs": "",
            "figure": json.loads(figure.template(list(infos), list(names)).to_json()),
        }
        for name, figure in figures.items()
    ]


def tabs(figures: Mapping[str, RaceFigure]) -> list[dict[str, Any]]:
    """The names of the figures in their tabs, and a last tab without any, for the table."""
    found = {tab: [name for name, figure in figures.items() if figure.tab == tab] for tab in (LEARNING, GRADIENT)}
    return [{"name": name, "figures": those} for name, those in found.items() if those] + [
        {"name": NUMBERS, "figures": []}
    ]
