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


@dataclass(frozen=True, eq=False)
class SeedRecord:
    """One more run of a lane's network, with another seed.

    Args:
        held_out: structured array with "step" and "loss", as of `Curves`.
        solved_at, state: as of a lane.
    """

    held_out: np.ndarray
    solved_at: int | None
    state: str

    def losses_at(self, steps: np.ndarray) -> np.ndarray:
        """Return the losses (n,) at these steps: NaN where it was not measured.

        After its last measurement a run that broke has an infinite loss, one that is finished its last loss.
        """
        known, losses = self.held_out["step"], self.held_out["loss"]
        if not len(known):
            return np.full(len(steps), np.nan)
        then = {"broken": np.inf, "finished": losses[-1]}.get(self.state, np.nan)
        place = np.minimum(np.searchsorted(known, steps), len(known) - 1)
        return np.where(known[place] == steps, losses[place], np.where(steps > known[-1], then, np.nan))


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
        others: the runs of the lane's other seeds; none where it has one seed. Frame and curves are of its first.
    """

    letter: str
    name: str
    info: RunInfo
    frame: Frame
    curves: Curves
    solved_at: int | None = None
    state: str = "racing"
    message: str = ""
    others: tuple[SeedRecord, ...] = ()

    @property
    def losses(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the steps (n,) at which all seeds are measured, and the held-out losses (seeds, n), its own first."""
        if not self.others:
            steps, own = self.curves.held_out_loss
            return steps, np.asarray(own, float)[None]
        every = (SeedRecord(self.curves.held_out, self.solved_at, self.state), *self.others)
        steps = np.unique(np.concatenate([each.held_out["step"] for each in every]))
        losses = np.array([each.losses_at(steps) for each in every])
        known = ~np.isnan(losses).any(axis=0)
        return steps[known], losses[:, known]

    @property
    def median(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the steps (n,), and the median of the seeds' losses there; of one seed its losses."""
        steps, losses = self.losses
        return steps, np.median(losses, axis=0) if losses.size else np.zeros(0)

    @property
    def solved_by(self) -> int:
        """Return how many of the seeds have solved the task."""
        return sum(at is not None for at in (self.solved_at, *(each.solved_at for each in self.others)))

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


def bands(names: Sequence[str]) -> list[go.Scatter]:
    """Return an empty area per lane, in its colour: from the lowest to the highest of its seeds' losses."""
    return [
        go.Scatter(
            x=np.zeros(0, np.float32), y=np.zeros(0, np.float32), name=f"{short_name(name)}: all seeds", mode="lines",
            line={"width": 0, "color": style.colour}, fill="toself", opacity=0.5, showlegend=False, hoverinfo="skip",
        )
        for style, name in zip(LANES, names, strict=False)
    ]  # fmt: skip


def band(lane: LaneSnapshot, unit: float, top: float) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y of a lane's area: up and back along its seeds' losses, in this unit; empty for one seed.

    Args:
        top: where the area ends, for losses above it.
    """
    steps, losses = lane.losses
    if not lane.others or not len(steps):
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    low, high = (np.minimum(edge(losses / unit, axis=0), top) for edge in (np.min, np.max))
    return theme.float32(np.append(steps, steps[::-1])), theme.float32(np.append(high, low[::-1]))


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
