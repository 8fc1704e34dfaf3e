"""The figures of the live view, by name and in order: pure functions of (RunInfo, Frame) that train and store nothing.

Adding a figure is one file with a `FIGURE` and one entry here.
"""

from __future__ import annotations

from app.figures import gradient, hidden, loss, prediction, unrolled, update
from app.figures.base import Curves, LiveFigure, Patch, Quantised

__all__ = ["FIGURES", "Curves", "LiveFigure", "Patch", "Quantised"]

FIGURES: dict[str, LiveFigure] = {
    "unrolled": unrolled.FIGURE,
    "gradient": gradient.FIGURE,
    "hidden": hidden.FIGURE,
    "loss": loss.FIGURE,
    "prediction": prediction.FIGURE,
    "update": update.FIGURE,
}
