"""The numbers that a map can show in colour, one entry each."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.map.results import Results


@dataclass(frozen=True)
class Colour:
    """A number that is shown in colour.

    Args:
        title: its name on the page. low_word, high_word: what the two ends of the scale mean.
        of: (results) -> (cells, y, x); NaN where nothing was measured yet.
        low, high: ends of the scale.
        scale: a name of `app.figures.theme.SCALES`; reversed if `is_reversed`.
        how: how it is measured, for "how measured?".
        shown: Plotly's format of the number under the mouse, with its name.
    """

    title: str
    low_word: str
    high_word: str
    of: Callable[[Results], np.ndarray]
    low: float
    high: float
    scale: str
    is_reversed: bool
    how: str
    shown: str


def _over_seeds(values: np.ndarray, reduce: Callable[..., np.ndarray]) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # points of which nothing is measured yet
        return reduce(values, axis=-1)


def _loss(results: Results) -> np.ndarray:
    return _over_seeds(results.by_point(results.loss), np.nanmedian)


def _solved(results: Results) -> np.ndarray:
    known = results.by_point(np.where(results.steps >= 0, results.solved, np.nan))
    return _over_seeds(known, np.nanmean)


def _ratio(results: Results) -> np.ndarray:
    with np.errstate(divide="ignore"):
        decades = np.log10(results.ratio)
    return _over_seeds(results.by_point(np.clip(decades, RATIO[0] - 1, RATIO[1] + 1)), np.nanmedian)


RATIO = (-8.0, 4.0)
"""Powers of ten at the ends of the gradient's scale."""
COLOURS: dict[str, Colour] = {
    "loss": Colour(
        "Loss", "no error", "as bad as a simple answer", _loss, 0.0, 1.0, "learned", True,
        "The loss on 256 held-out sequences, divided by that of a simple answer to the same sequences; with several "
        "seeds the median. engine/many/held_out.py.",
        "loss %{z:.3f} of a simple answer's",
    ),
    "solved": Colour(
        "Solved", "no network", "all networks", _solved, 0.0, 1.0, "learned", False,
        "The share of the seeds whose network has solved the task: its held-out loss is below a tenth of a simple "
        "answer's, and its metric is good. engine/frame/held_out.py.",
        "%{z:.0%} of the seeds solved",
    ),
    "ratio": Colour(
        "Gradient", "vanished", "exploding", _ratio, *RATIO, "decades", False,
        "How large the gradient is where the answer can be seen, relative to where the loss enters, as a power of ten; "
        "the verdict's ratio. The median of 32 sequences, and of the seeds. engine/many/held_out.py.",
        "gradient 10^%{z:.1f} of its size at the loss",
    ),
}  # fmt: skip
