"""The figures of a race, by name and in order: pure functions of lanes, on shared axes."""

from __future__ import annotations

from collections.abc import Sequence

from app.figures.compare import bars, on_other_data, over_time, over_training
from app.figures.compare.base import LANES, LaneSnapshot, LaneStyle, RaceFigure
from app.figures.over_time.gradient import has_same_steps
from app.figures.over_training.loss import has_same_loss
from engine.frame import RunInfo

__all__ = ["FIGURES", "LANES", "LaneSnapshot", "LaneStyle", "RaceFigure", "applicable"]

FIGURES: dict[str, RaceFigure] = {
    "race_loss": over_training.LOSS,
    "race_gradient": over_time.GRADIENT,
    "race_update": over_training.UPDATE,
    "race_waterfall": over_time.WATERFALL,
    "race_cost": bars.COST,
    "race_reach": bars.REACH,
}


SAME_LINE = 1e-3
"""Two losses to beat that differ by less than this share of the first one are drawn as one line."""


def applicable(infos: Sequence[RunInfo]) -> dict[str, RaceFigure]:
    """Return the figures that apply to these lanes, in their order.

    Lanes whose losses cannot stand on one axis are drawn relative to their own losses to beat; lanes of different
    steps by steps back, and without what has one axis of time for all.
    """
    first, figures = infos[0], dict(FIGURES)
    if not all(has_same_line(first, info) for info in infos):
        figures["race_loss"] = on_other_data.RELATIVE_LOSS
    if not all(has_same_steps(first, info) for info in infos):
        figures["race_gradient"] = on_other_data.BACK
        del figures["race_waterfall"]
    return {name: figure for name, figure in figures.items() if figure.applies(infos)}


def has_same_line(info: RunInfo, other: RunInfo) -> bool:
    """Return True if the losses of two runs can be drawn on one axis with one loss to beat."""
    lines = [next(iter(each.held_out_baselines.values())) for each in (info, other)]
    return has_same_loss(info, other) and abs(lines[0] - lines[1]) <= SAME_LINE * abs(lines[0])
