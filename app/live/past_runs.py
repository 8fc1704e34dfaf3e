"""Runs that are over, beside the present one: the previous run in grey, others in a colour and dash of their own."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np

from app.figures import FIGURES, Curves, LiveFigure, PastRun, Patch, theme
from app.ghost import Ghost
from app.past_runs import KeptRun
from engine.frame import RunInfo

LEGEND_ROW = 20  # pixels
PER_ROW = {"time": 5, "training": 2}  # names in a row of the legend, by the column of the figure
USUAL = 3  # names without past runs
MAX_NAME = {"time": 28, "training": 16}  # characters of a name in the legend of such a figure


def previous_run(figure: LiveFigure, info: RunInfo, ghost: Ghost, curves: Curves) -> Patch:
    """The previous run in grey, named after its cell.

    If this run branched off from it: only its part since then, dotted, in the grey of the other future.
    """
    past = curves if ghost.branched_at is None else curves.since(ghost.branched_at)
    line = figure.past_line(info, PastRun(ghost.info, ghost.frame, past))
    if line is None:
        return {}
    if ghost.branched_at is None:
        return {"data.0.name": f"before: {ghost.info.cell_title}", **_drawn("data.0", line)}
    look = {"data.0.line.color": theme.OTHER_FUTURE, "data.0.line.dash": "dot"}
    return {"data.0.name": "the other future", **look, **_drawn("data.0", line)}


def beside(figure: LiveFigure, info: RunInfo, runs: Mapping[int, KeptRun], first: int) -> Patch:
    """The lines of past runs, in the traces that `with_traces` has added.

    Args:
        runs: by their place in PAST_RUNS of the theme. first: the position of the first of these traces.
    """
    changed: Patch = {}
    for trace, run in enumerate(runs.values(), first):
        if (line := figure.past_line(info, run.past)) is not None:
            changed |= _drawn(f"data.{trace}", line)
    return changed


def reaches(figure: LiveFigure, info: RunInfo, runs: Mapping[int, KeptRun]) -> int:
    """The last training step of the past runs in a figure over training; 0 without one."""
    drawn = [figure.past_line(info, run.past) for run in runs.values()] if figure.steps else []
    return max((int(line[0][-1]) for line in drawn if line is not None and len(line[0])), default=0)


def _drawn(trace: str, line: tuple[np.ndarray, np.ndarray]) -> Patch:
    x, y = line
    return {f"{trace}.x": np.asarray(x, np.float32), f"{trace}.y": theme.float32(y), f"{trace}.showlegend": True}


def with_traces(
    templates: list[dict[str, Any]], info: RunInfo, runs: Mapping[int, KeptRun]
) -> list[dict[str, Any]]:  # fmt: skip
    """Add an empty trace for each past run to every figure that can draw one of them, and room for their names.

    Args:
        templates: as `app.live.component.templates` makes them; they are not changed.
    """
    return [_with_traces(template, FIGURES[template["name"]], info, runs) for template in templates]


def _with_traces(
    template: dict[str, Any], figure: LiveFigure, info: RunInfo, runs: Mapping[int, KeptRun]
) -> dict[str, Any]:
    shown = sum(figure.past_line(info, run.past) is not None for run in runs.values())
    if not shown:
        return template
    drawn, room = template["figure"], LEGEND_ROW * (-(-(shown + USUAL) // PER_ROW[figure.over]) - 1)
    layout = drawn["layout"]
    layout = {
        **layout,
        "height": layout["height"] + room,
        "margin": {**layout["margin"], "t": layout["margin"]["t"] + room},
        "legend": {**layout["legend"], "maxheight": 1},  # else it scrolls before it is as high as the room above
    }
    traces = [
        _trace(drawn["data"][0], place, shortened(run.name, MAX_NAME[figure.over])) for place, run in runs.items()
    ]
    return {**template, "figure": {**drawn, "layout": layout, "data": [*drawn["data"], *traces]}}


def shortened(name: str, most: int) -> str:
    """The name with at most so many characters: its beginning, and its end, which often says what differs."""
    end = most // 2 + 1
    return name if len(name) <= most else f"{name[: most - end - 1].rstrip()}…{name[-end:].lstrip()}"


def _trace(previous: dict[str, Any], place: int, name: str) -> dict[str, Any]:
    """A trace like that of the previous run. Plotly reads names as HTML, so what a person wrote is escaped."""
    colour, dash = theme.PAST_RUNS[place]
    line = {"color": colour, "dash": dash, "width": 1.7}
    return {**previous, "name": escape(name, quote=False), "line": line, "x": [], "y": [], "showlegend": False}


def key(runs: Mapping[int, KeptRun]) -> list[list[Any]]:
    """What the browser compares, to know whether other runs are drawn."""
    return [[place, run.id, run.name] for place, run in runs.items()]
