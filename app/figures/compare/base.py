"""What the figures of a race share: a lane's data, its colour, dash and marker, and the type of a figure of lanes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.base import Curves, Patch
from engine.frame import Frame, RunInfo


@dataclass(frozen=True)
class LaneStyle:
    """How a lane is drawn: colour, dash and marker, so that it can be told from the others without colour."""

    colour: str
    dash: str
    mark: str


LANES = (
    LaneStyle(theme.NEUTRALS[0], "solid", "circle"),
    LaneStyle(theme.NEUTRALS[1], "dash", "square"),
    LaneStyle(theme.NEUTRALS[2], "dot", "diamond"),
)


@dataclass(frozen=True, eq=False, kw_only=True)
class LaneSnapshot:
    """One lane at one moment.

    Args:
        letter, name: for example "B" and "GRU".
        frame: its newest frame; frames drawn together have the same step, except of a lane that has stopped.
        curves: its training up to that step.
        solved_at: the first step at which the run counted as solved, see `RunStatus`.
        state: "racing", "finished" (its steps are done, or its target reached) or "broken".
        message: a sentence about an error; empty without one.
    """

    letter: str
    name: str
    info: RunInfo
    frame: Frame
    curves: Curves
    solved_at: int | None = None
    state: str = "racing"
    message: str = ""

    @property
    def label(self) -> str:
        """Return letter and name."""
        return f"{self.letter} · {self.name}"


@dataclass(frozen=True, kw_only=True)
class RaceFigure:
    """A figure of all lanes.

    Args:
        title, look_for, label, how: as of a live figure.
        tab: LEARNING or GRADIENT, what it is about.
        over: in which column it stands, "training" or "time".
        template: (infos, names) -> figure without data. patch: (lanes) -> the changes for this moment.
        applies: (infos) -> whether the figure has anything to show for these lanes.
        fits: axes with fixed decades, which a switch on the card fits to the values.
    """

    title: str
    look_for: str
    label: str
    how: str
    tab: str
    over: str
    template: Callable[[Sequence[RunInfo], Sequence[str]], go.Figure]
    patch: Callable[[Sequence[LaneSnapshot]], Patch]
    applies: Callable[[Sequence[RunInfo]], bool] = lambda infos: True
    fits: tuple[str, ...] = ()


def lines(names: Sequence[str], hover: str, x: np.ndarray | None = None, **more: Any) -> list[go.Scatter]:
    """Return one line per lane, in its colour and dash, with a legend entry."""
    steps = np.zeros(0, np.float32) if x is None else x
    return [
        go.Scatter(
            x=steps, y=np.full(len(steps), np.nan, np.float32), name=name,
            line={"color": style.colour, "dash": style.dash, "width": 2},
            hovertemplate=f"{hover}<extra>%{{fullData.name}}</extra>", **({"mode": "lines"} | more),
        )
        for style, name in zip(LANES, map(short_name, names), strict=False)
    ]  # fmt: skip


def ends(names: Sequence[str]) -> go.Scatter:
    """Return a marker with the lane's letter at the end of each line; names begin with their letters."""
    styles = LANES[: len(names)]
    return go.Scatter(
        x=np.zeros(0, np.float32), y=np.zeros(0, np.float32), mode="markers+text", text=[name[0] for name in names],
        textposition="middle right", textfont={"color": [style.colour for style in styles], "size": 13},
        marker={"color": [style.colour for style in styles], "symbol": [style.mark for style in styles], "size": 8},
        showlegend=False, hoverinfo="skip", cliponaxis=False,
    )  # fmt: skip


def short_name(name: str) -> str:
    """Return letter and cell; the other differences are on the lanes' cards."""
    return name.partition(", ")[0]


def training_range(lanes: Sequence[LaneSnapshot]) -> list[float]:
    """Return the limits of the x axis over training, with room for a letter at its end."""
    last = max(lane.frame.step for lane in lanes)
    return [0, theme.training_range(last)[1] * 1.05]
