"""What the figures of a race share: a lane as it is drawn, its colour, dash and mark, and what a figure of lanes is."""

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
    """How a lane is drawn, everywhere: three ways to tell it from the others besides its letter."""

    colour: str
    dash: str
    mark: str


LANES = (
    LaneStyle("#2f7fc1", "solid", "circle"),
    LaneStyle("#c98100", "dash", "square"),
    LaneStyle("#0a9873", "dot", "diamond"),
)


@dataclass(frozen=True, eq=False, kw_only=True)
class LaneSnapshot:
    """One lane at one moment.

    Args:
        letter, name: what it is called, "B" and "GRU".
        frame: its newest frame; those that are drawn together are of the same step, but for a lane that stands still.
        curves: its training up to that step.
        solved_at: the first step at which recent training was below a tenth of the baseline.
        state: "racing", "finished" (its steps are done, or its target reached) or "broken".
        message: what went wrong, in a sentence; empty where nothing did.
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
        """Letter and name."""
        return f"{self.letter} · {self.name}"


@dataclass(frozen=True, kw_only=True)
class RaceFigure:
    """One figure of all lanes.

    Args:
        title, look_for, label, how: as of a live figure.
        over: in which column it stands, "training" or "time".
        template: (infos, names) -> figure without data. patch: (lanes) -> what this moment changes in it.
        applies: (infos) -> whether these lanes have anything to show in it.
        fits: axes with fixed decades, which a switch on the card fits to the numbers.
    """

    title: str
    look_for: str
    label: str
    how: str
    over: str
    template: Callable[[Sequence[RunInfo], Sequence[str]], go.Figure]
    patch: Callable[[Sequence[LaneSnapshot]], Patch]
    applies: Callable[[Sequence[RunInfo]], bool] = lambda infos: True
    fits: tuple[str, ...] = ()


def lines(names: Sequence[str], hover: str, x: np.ndarray | None = None, **more: Any) -> list[go.Scatter]:
    """A line for each lane, in its colour and dash, named in the legend."""
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
    """A mark with the lane's letter for each lane, where its line ends; names begin with their letters."""
    styles = LANES[: len(names)]
    return go.Scatter(
        x=np.zeros(0, np.float32), y=np.zeros(0, np.float32), mode="markers+text", text=[name[0] for name in names],
        textposition="middle right", textfont={"color": [style.colour for style in styles], "size": 13},
        marker={"color": [style.colour for style in styles], "symbol": [style.mark for style in styles], "size": 8},
        showlegend=False, hoverinfo="skip", cliponaxis=False,
    )  # fmt: skip


def short_name(name: str) -> str:
    """Letter and cell, without what differs, where there is little room: the lanes' own cards say it."""
    return name.partition(", ")[0]


def training_range(lanes: Sequence[LaneSnapshot]) -> list[float]:
    """The x axis over training, the same in every figure, with room for a letter at its end."""
    last = max(lane.frame.step for lane in lanes)
    return [0, theme.training_range(last)[1] * 1.05]
