"""The figures in tabs, each with the few that answer one question; a lesson's own figures come first."""

from __future__ import annotations

from typing import Any

from app.figures import applicable
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
    found = [(LESSON, [name for name in lesson.figures if name in here])] if lesson is not None else []
    found += [(tab, [name for name, figure in here.items() if figure.tab == tab]) for tab in TABS]
    return [{"name": name, "figures": figures} for name, figures in found if figures]
