"""The figures in tabs, each with the few that answer one question; a lesson's own figures come first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.figures import LiveFigure, applicable
from app.figures.base import TABS
from engine.frame import RunInfo
from engine.preset import Preset

LESSON = "This lesson"
ON_THE_STAGE = "unrolled"
"""The figure that the stage takes the place of; lessons name it, and a replay draws it."""


def tabs(info: RunInfo, lesson: Preset | None) -> list[dict[str, Any]]:
    """[{"name", "figures": names in order}]: what applies to this run. A tab without figures is left out.

    A figure of the lesson is in its own tab, too.
    """
    here = {name: figure for name, figure in applicable(info).items() if name != ON_THE_STAGE}
    own = [name for name in lesson.figures if name in here] if lesson is not None else []
    return [*([{"name": LESSON, "figures": own}] if own else []), *by_question(here)]


def by_question(figures: Mapping[str, LiveFigure], order: Sequence[str] = TABS) -> list[dict[str, Any]]:
    """The same of any figures by name: a tab for each question that one of them answers, in this order."""
    found = [(tab, [name for name, figure in figures.items() if figure.tab == tab]) for tab in order]
    return [{"name": name, "figures": names} for name, names in found if names]
