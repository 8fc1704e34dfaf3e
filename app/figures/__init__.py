"""The figures of the live view, by name and in order: pure functions of (RunInfo, Frame), without side effects.

To add a figure, write one file with a `FIGURE` and one entry here.
"""

from __future__ import annotations

from app.figures.base import ChainFigure, Curves, LiveFigure, PastRun, Patch, Quantised
from app.figures.over_time import (
    cell,
    decomposition,
    gates,
    gradient,
    hidden,
    loss_per_step,
    saliency,
    step_factors,
    waterfall,
    weight_gradients,
)
from app.figures.over_training import (
    attention,
    attention_paths,
    embedding,
    loss,
    memory_decay,
    prediction,
    rate,
    ratio,
    spectrum,
    tags,
    update,
)
from app.figures.unrolled import figure as unrolled
from engine.frame import Chain, RunInfo

__all__ = [
    "FIGURES",
    "ChainFigure",
    "Curves",
    "LiveFigure",
    "PastRun",
    "Patch",
    "Quantised",
    "applicable",
    "chain_figures",
]

FIGURES: dict[str, LiveFigure] = {
    "unrolled": unrolled.FIGURE,
    "gradient": gradient.FIGURE,
    "loss_per_step": loss_per_step.FIGURE,
    "hidden": hidden.FIGURE,
    "factors": step_factors.FIGURE,
    "waterfall": waterfall.FIGURE,
    "decomposition": decomposition.FIGURE,
    "weights": weight_gradients.FIGURE,
    "gates": gates.FIGURE,
    "cell": cell.FIGURE,
    "saliency": saliency.FIGURE,
    "loss": loss.FIGURE,
    "rate": rate.FIGURE,
    "prediction": prediction.FIGURE,
    "tags": tags.FIGURE,
    "attention": attention.FIGURE,
    "attention_paths": attention_paths.FIGURE,
    "ratio": ratio.FIGURE,
    "update": update.FIGURE,
    "embedding": embedding.FIGURE,
    "spectrum": spectrum.FIGURE,
    "memory": memory_decay.FIGURE,
}


def applicable(info: RunInfo) -> dict[str, LiveFigure]:
    """Return the figures that apply to this run, in their order."""
    return {name: figure for name, figure in FIGURES.items() if figure.applies(info)}


def chain_figures(chain: Chain) -> dict[str, ChainFigure]:
    """Return the figures that apply to a network of which no task is known, in their order."""
    return {name: each for name, each in FIGURES.items() if isinstance(each, ChainFigure) and each.applies(chain)}
