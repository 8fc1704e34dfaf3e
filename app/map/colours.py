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
        title: its name on the page. axis: what stands at an axis.
        low_word, high_word: what both ends of the scale mean.
        each: (results) -> (cells, y, x, seeds), of every network; NaN where nothing was measured yet.
        middle: how the seeds of a point become one number.
        low, high: ends of the scale.
        scale: a name of `app.figures.theme.SCALES`; reversed if `is_reversed`.
        marks: places on the scale, and what is written there.
        how: how it is measured, for "how measured?".
        shown: Plotly's format of the number under the mouse, with its name.
    """

    title: str
    axis: str
    low_word: str
    high_word: str
    each: Callable[[Results], np.ndarray]
    middle: Callable[..., np.ndarray]
    low: float
    high: float
    scale: str
    is_reversed: bool
    how: str
    shown: str
    marks: tuple[tuple[float, str], ...] = ()

    def of(self, results: Results) -> np.ndarray:
        """The number of every point, (cells, y, x); NaN where nothing was measured yet."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # points of which nothing is known
            return self.middle(self.each(results), axis=-1)


def _loss(results: Results) -> np.ndarray:
    return results.by_point(results.loss)


def _solved(results: Results) -> np.ndarray:
    return results.by_point(np.where(results.steps >= 0, results.solved, np.nan))


def _ratio(results: Results) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return results.by_point(np.clip(np.log10(results.ratio), RATIO[0], RATIO[1]))


RATIO = (-8.0, 4.0)
"""Powers of ten at the ends of the gradient's scale."""
COLOURS: dict[str, Colour] = {
    "loss": Colour(
        "Loss", "loss ÷ loss to beat", "no error", "as bad as a simple answer", _loss, np.nanmedian, 0.0, 1.0,
        "learned", True,
        "The loss on 256 held-out sequences, divided by that of a simple answer to the same sequences; with several "
        "seeds the median. engine/many/held_out.py.",
        "loss %{z:.3f} of a simple answer's",
    ),
    "solved": Colour(
        "Solved", "share of the networks that have solved it", "no network", "all networks", _solved, np.nanmean, 0.0,
        1.0, "learned", False,
        "The share of the seeds whose network has solved the task: its held-out loss is below a tenth of a simple "
        "answer's, and its metric is good. A band around a line is Wilson's 95 % interval: how far the true share may "
        "be from the one that so few seeds show. engine/frame/held_out.py, engine/sweeps/success.py.",
        "%{z:.0%} of the seeds solved it",
    ),
    "ratio": Colour(
        "Gradient", "size of the gradient, power of ten", "vanished (10⁻⁸)", "exploding (10⁴)", _ratio, np.nanmedian,
        *RATIO, "decades", False,
        "How large the gradient is where the answer can be seen, relative to where the loss enters, as a power of ten: "
        "the ratio of the verdict. The median of the sequences, and of the seeds. Below 10⁻³ a verdict calls it "
        "vanishing, from 10⁻² to 10 healthy. engine/many/held_out_beside.py.",
        "gradient 10^%{z:.1f} of its size at the loss", ((-3, "10⁻³"), (0, "1")),
    ),
}  # fmt: skip
