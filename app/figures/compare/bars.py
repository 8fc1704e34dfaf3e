"""One bar per lane: how far back its gradient reaches, the time of an update, and the number of parameters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.base import GRADIENT, LEARNING, Patch, Traces
from app.figures.compare.base import LANES, LaneSnapshot, RaceFigure, short_name
from app.figures.compare.over_time import reach
from app.figures.over_time.waterfall import FAR
from app.figures.over_training.memory_decay import needed
from engine.frame import RunInfo
from engine.number_format import count

TRACES = Traces("bars")
"""The first trace; the bars of the parameters, which never change, follow."""
PATTERNS = ("", "/", ".")  # as the dashes of the lines
ROOM = 1.45  # length of the axis in longest bars, with room for the number behind a bar
HEIGHT, ROW = 66, 27  # pixels: without bars, and for each bar


def _bars(names: Sequence[str], **more: object) -> go.Bar:
    styles = LANES[: len(names)]
    pattern = {"shape": list(PATTERNS[: len(names)]), "solidity": 0.25, "fgcolor": "rgba(255,255,255,0.6)",
               "fillmode": "overlay"}  # fmt: skip
    return go.Bar(
        orientation="h", y=[short_name(name) for name in names], x=np.zeros(len(names), np.float32), width=0.62,
        text=[""] * len(names),
        textposition="outside", cliponaxis=False, hovertemplate="%{y}: %{text}<extra></extra>", textangle=0,
        textfont={"size": 12},
        marker={"color": [style.colour for style in styles], "line": {"width": 0}, "pattern": pattern},
        **more,
    )  # fmt: skip


def _names(**more: object) -> dict:
    return {
        "autorange": "reversed",
        "showgrid": False,
        "ticklen": 0,
        "tickfont": {"size": 12},
        "automargin": True,
        **more,
    }


def _from_zero(title: str, **more: object) -> dict:
    return {"range": [0, 1], "showticklabels": False, "ticks": "", "showgrid": False, "fixedrange": True,
            "title": {"text": title, "standoff": 4, "font": {"size": 12}}, **more}  # fmt: skip


def reach_template(infos: Sequence[RunInfo], names: Sequence[str]) -> go.Figure:
    """Bars over steps back, with a vertical line at the task's lag."""
    far, lags = max(info.time_steps for info in infos) - 1, {needed(info) for info in infos}
    lag = lags.pop() if len(lags) == 1 else 0
    drawn = theme.figure(
        _bars(names),
        height=HEIGHT + ROW * len(names),
        revision=f"reach-{far}",
        margin={"l": 58, "r": 14, "t": 20, "b": 38},
        xaxis={"range": [0, far * 1.3], "tickvals": list(range(0, far + 1, max(1, round(far / 5)))),
               "title": {"text": "steps back from the last loss", "standoff": 6, "font": {"size": 12}}},
        yaxis=_names(),
    )  # fmt: skip
    if lag:
        drawn.add_shape(type="line", yref="paper", x0=lag, x1=lag, y0=0, y1=1,
                        line={"dash": "dash", "width": 1.4, "color": theme.GHOST})  # fmt: skip
        drawn.add_annotation(yref="paper", y=1, yanchor="bottom", x=lag, showarrow=False,
                             text=f"this task needs {lag}", font={"size": 11})  # fmt: skip
    return drawn


def reach_patch(lanes: Sequence[LaneSnapshot]) -> Patch:
    """Patch the length and the label of every bar."""
    reaches = [reach(lane) for lane in lanes]
    return {
        TRACES.path("bars", "x"): np.array(
            [0 if steps_back is None else steps_back[0] for steps_back in reaches], np.float32
        ),
        TRACES.path("bars", "text"): [reach_label(steps_back) for steps_back in reaches],
    }


def reach_label(steps_back: tuple[int, bool] | None) -> str:
    """Return a label such as "12 steps" or "all 49 steps"."""
    if steps_back is None:
        return "not finite"
    steps, all_the_way = steps_back
    counted = count(steps, "step")
    return f"all {counted}" if all_the_way and steps > 1 else counted


def cost_template(infos: Sequence[RunInfo], names: Sequence[str]) -> go.Figure:
    """Milliseconds on the left, parameters on the right."""
    counts = [info.parameter_count for info in infos]
    parameters = _bars(names, xaxis="x2", yaxis="y2").update(x=counts, text=[f"{count:,}" for count in counts])
    return theme.figure(
        _bars(names),
        parameters,
        height=HEIGHT - 8 + ROW * len(names),
        revision="cost",
        margin={"l": 52, "r": 14, "t": 8, "b": 30},
        xaxis=_from_zero("milliseconds per update", domain=[0, 0.46]),
        xaxis2=_from_zero("parameters", domain=[0.54, 1], range=[0, ROOM * max(counts)], anchor="y2"),
        yaxis=_names(),
        yaxis2=_names(showticklabels=False, anchor="x2"),
    )


def cost_patch(lanes: Sequence[LaneSnapshot]) -> Patch:
    """Patch the mean time of an update, on the same axis for all lanes."""
    spent = [milliseconds(lane) for lane in lanes]
    return {
        TRACES.path("bars", "x"): np.nan_to_num(np.array(spent, np.float32)),
        TRACES.path("bars", "text"): [cost_label(milliseconds_spent) for milliseconds_spent in spent],
        "layout.xaxis.range": [0, ROOM * (np.nanmax(spent) if np.isfinite(spent).any() else 1.0)],
    }


def milliseconds(lane: LaneSnapshot) -> float:
    """Return the mean time of an update in this race, in milliseconds; NaN before the first."""
    return 1000 * lane.frame.seconds / lane.frame.step if lane.frame.step else float("nan")


def cost_label(spent: float) -> str:
    """Return the time with two or three significant digits."""
    return "no update yet" if np.isnan(spent) else f"{spent:.1f} ms" if spent < 100 else f"{spent:.0f} ms"


REACH = RaceFigure(
    title="How far back the gradient reaches",
    look_for=f"Steps until less than {FAR:.0%} of the gradient is left. Fewer than the task needs: hard to learn.",
    label=f"Bars: how many steps back {FAR:.0%} of the gradient is left, for every lane",
    how=(
        f"Counted on the curve of the gradient: the steps, back from the last loss, at which its norm is still at "
        f"least {FAR:.0%} of the norm at the last loss. app/figures/compare/over_time.py, reach."
    ),
    tab=GRADIENT,
    over="time",
    template=reach_template,
    patch=reach_patch,
    applies=lambda infos: infos[0].time_steps > 1,
)
COST = RaceFigure(
    title="What it costs",
    look_for="The time of an update, and the number of parameters.",
    label="Bars: milliseconds per update and number of parameters of every lane",
    how=(
        "Training time without frames, divided by the number of updates in this race: lanes and other people's runs "
        "share the same cores, so it varies. On a CPU PyTorch uses a faster library for the LSTM than for the others. "
        "Parameters are all trained numbers, the output layer's included. engine/training/trainer.py, "
        "engine/parameters.py."
    ),
    tab=LEARNING,
    over="training",
    template=cost_template,
    patch=cost_patch,
)
