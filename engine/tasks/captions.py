"""A task on small pictures: one input, then a caption of several words."""

from __future__ import annotations

from functools import cache

import numpy as np

from engine.tasks.base import END, DataSettings, Lengths, Metric, Task, exact_match
from engine.tasks.batch import Batch
from engine.tasks.entropy import answer_baselines
from engine.tasks.images import PIXELS, SIDE, seen_once
from engine.tasks.tables import table

SHAPES = ("square", "ring", "plus", "cross")
SIZES = {"small": 3, "large": 5}  # pixels
ABOVE, BESIDE = "above", "beside"
ALONE = [("a", size, shape) for size in SIZES for shape in SHAPES]
PAIRS = [("a", one, where, "a", other) for where in (ABOVE, BESIDE) for one in SHAPES for other in SHAPES]
CAPTIONS = [*ALONE, *PAIRS]
CHANCES = np.array([1 / 3 / len(ALONE)] * len(ALONE) + [2 / 3 / len(PAIRS)] * len(PAIRS))
"""Of each caption: a third of the pictures have one shape."""
WORDS = ("a", *SIZES, *SHAPES, ABOVE, BESIDE, END)
STEPS = max(map(len, CAPTIONS)) + 1  # the longest caption and END
PAPER, PENCIL = (0.0, 0.15), (0.75, 1.0)  # ink of a pixel: noise, so that no two pictures are the same


@cache
def _tokens() -> tuple[np.ndarray, np.ndarray]:
    """Tokens (T, captions) int64 of every caption and END, 0 after END; and their mask, (T, captions) bool."""
    return table([[WORDS.index(word) for word in (*caption, END)] for caption in CAPTIONS], padding=0)


@cache
def _baselines() -> dict[str, float]:
    by_place, by_words = answer_baselines(*_tokens(), CHANCES)
    return {"how common each word is, by place": by_place, "without looking at the picture": by_words}


def shape_pixels(shape: str, size: int) -> np.ndarray:
    """(size, size) bool: where this shape has ink."""
    row, column = np.indices((size, size))
    last, middle = size - 1, size // 2
    return {
        "square": np.ones((size, size), bool),
        "ring": (row % last == 0) | (column % last == 0),
        "plus": (row == middle) | (column == middle),
        "cross": (row == column) | (row + column == last),
    }[shape]


def variants(caption: tuple[str, ...]) -> np.ndarray:
    """(n, SIDE, SIDE) bool, ink: the shapes of this caption at every place that they may have in the picture.

    Of two, the first is in the upper or left half and the second in the other one, nearly in line.
    """
    if len(caption) == 3:
        drawn = shape_pixels(caption[2], SIZES[caption[1]])
        places = np.ndindex(SIDE - len(drawn) + 1, SIDE - len(drawn) + 1)
        return np.array([_at(drawn, row, column) for row, column in places])
    _, first, where, _, second = caption
    one, other = (shape_pixels(shape, SIZES["small"]) for shape in (first, second))
    room, half = SIDE - len(one) + 1, SIDE // 2
    starts = ((a, b) for a in range(half - len(one) + 1) for b in range(half, room))
    pictures = [
        _at(one, along, across) | _at(other, far, beside)
        for along, far in starts
        for across in range(room)
        for beside in range(max(0, across - 1), min(room, across + 2))
    ]
    return np.array(pictures) if where == ABOVE else np.array(pictures).swapaxes(1, 2)  # all shapes are symmetric


def _at(shape: np.ndarray, row: int, column: int) -> np.ndarray:
    """(SIDE, SIDE) bool: a shape with its corner at this row and column."""
    ink = np.zeros((SIDE, SIDE), bool)
    ink[row : row + len(shape), column : column + len(shape)] = shape
    return ink


@cache
def _every_picture() -> tuple[np.ndarray, np.ndarray]:
    """All variants of all captions, (n, pixels) bool, and where those of each caption begin, (captions + 1,)."""
    every = [variants(caption).reshape(-1, SIDE * SIDE) for caption in CAPTIONS]
    return np.concatenate(every), np.cumsum([0, *map(len, every)])


def _draw(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    chosen = rng.choice(len(CAPTIONS), batch_size, p=CHANCES)
    targets, mask = (every[:, chosen] for every in _tokens())
    pictures, begins = _every_picture()
    ink = pictures[rng.integers(begins[chosen], begins[chosen + 1])]
    shades = np.where(ink, rng.uniform(*PENCIL, ink.shape), rng.uniform(*PAPER, ink.shape))
    return seen_once(shades.astype(np.float32), targets, mask, len(WORDS))


CAPTION = Task(
    slug="caption",
    family="Images",
    title="Describe the picture",
    teaches="One picture in, a sentence out: every word follows from what it saw once and has said since.",
    source="Generated: one or two shapes of 3 or 5 pixels on 8 × 8, at random places, with some noise.",
    rnn_types=("one_to_many",),
    lengths=Lengths(STEPS, STEPS, STEPS),
    inputs="values",
    outputs="symbols",
    input_labels=(*PIXELS, *WORDS),
    output_labels=WORDS,
    metric=Metric("whole captions right", exact_match),
    draw=_draw,
    baselines=lambda experiment: _baselines(),
    lag=lambda experiment: experiment.seq_len - 1,  # from the end of the longest caption back to the picture
    image=(SIDE, SIDE),
)
