"""The figures of a race, by name and in order: pure functions of lanes, on shared axes."""

from __future__ import annotations

from collections.abc import Sequence

from app.figures.compare import bars, over_time, over_training
from app.figures.compare.base import LANES, LaneSnapshot, LaneStyle, RaceFigure
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


def applicable(infos: Sequence[RunInfo]) -> dict[str, RaceFigure]:
    """Return the figures that apply to these lanes, in their order."""
    return {name: figure for name, figure in FIGURES.items() if figure.applies(infos)}
