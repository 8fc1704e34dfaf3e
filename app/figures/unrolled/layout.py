"""The layout of the unrolled figure: the steps that are drawn, and the rows from the inputs up."""

from __future__ import annotations

import numpy as np

from app.figures import theme
from engine.frame import RunInfo

MAX_COLUMNS, CELLS = 16, 8
MAX_CHANNELS = 16  # inputs with more channels are not drawn as strips
HALF = 0.36  # half the height of a strip, as a part of a row
LETTER, PASSAGE = 7.5, 26  # pixels: width of a letter, and room between two symbols for a line down
TARGETS_ABOVE, FREE_ABOVE = 0.62, 1.18  # rows above the outputs of an autoregressive network


def columns(info: RunInfo) -> np.ndarray:
    """Return the steps drawn: all, or evenly spaced ones with the first, the last, and the two next to the border."""
    steps = info.time_steps
    chosen = np.linspace(0, steps - 1, min(_most_columns(info), steps)).round().astype(int)
    if not info.encoder_steps:
        return np.unique(chosen)
    if len(chosen) < steps:  # leave room for a line after the decoder's first output
        near = info.encoder_steps + steps_of(info, 0.9 * _spacing(info))
        chosen = chosen[(chosen <= info.encoder_steps) | (chosen >= min(near, steps - 1))]
    return np.unique([*chosen, info.encoder_steps - 1, info.encoder_steps])


def _most_columns(info: RunInfo) -> int:
    return max(4, min(MAX_COLUMNS, int(theme.PLOT / _spacing(info)))) if info.is_autoregressive else MAX_COLUMNS


def _spacing(info: RunInfo) -> float:
    """Return the pixels from one output to the next that leave room for a line between them."""
    return LETTER * (longest(info) + 1) + PASSAGE


def longest(info: RunInfo) -> int:
    """Return the number of letters of the longest output symbol."""
    return max(len(theme.symbol(label)) for label in info.output_labels)


def answer_steps(info: RunInfo) -> np.ndarray:
    """Return the drawn steps that have a target."""
    return np.array([t for t in columns(info) if info.counted[t]], int)


def real(info: RunInfo) -> np.ndarray:
    """Return the drawn steps outside the padding."""
    return np.array([t for t in columns(info) if info.valid[t]], int)


def teacher_forced_steps(info: RunInfo) -> np.ndarray:
    """Return the drawn steps that read the target of the step before."""
    return real(info)[real(info) > info.encoder_steps] if info.is_autoregressive else np.zeros(0, int)


def steps_of(info: RunInfo, pixels: float) -> float:
    """Convert a width in pixels, on a laptop, to steps of the time axis."""
    low, high = theme.time_axis(info.time_steps)["range"]
    return float(pixels * (high - low) / theme.PLOT)


def half_width(info: RunInfo) -> float:
    """Return half of a strip's width, in steps."""
    drawn = columns(info)
    spacing = np.diff(drawn).min() if len(drawn) > 1 else 0.5
    return float(0.26 * spacing)


def top(info: RunInfo) -> int:
    """Return the row of the outputs; inputs are row 0, states are between."""
    return len(info.chains) + info.output_layers + 1


def ceiling(info: RunInfo) -> float:
    """Return the upper end: room for two more rows if autoregressive, and for the names of encoder and decoder."""
    return top(info) + (FREE_ABOVE if info.is_autoregressive else 0) + (0.85 if info.encoder_steps else 0.4)


def units(info: RunInfo) -> np.ndarray:
    """Return the units drawn of each layer."""
    size = info.hidden_size
    return np.unique(np.linspace(0, size - 1, min(CELLS, size)).round().astype(int))


def strip_channels(info: RunInfo) -> int:
    """Return the number of input channels drawn as strips, such as a row of an image; 0 if inputs are written."""
    channels = len(info.input_labels)
    return channels if info.inputs == "values" and 2 < channels <= MAX_CHANNELS else 0


def ticks(info: RunInfo) -> dict:
    """Return the ticks of the axis, which name the rows."""
    above = info.output_layers
    names = ["input", *(_row_name(info, *pair) for pair in info.chains)]
    names += [f"above {n + 1}" if above > 1 else "above" for n in range(above)]
    places: list[float] = list(range(len(names) + 1))
    names.append("output")
    if info.is_autoregressive:
        names += ["target", "by itself"]
        places += [top(info) + TARGETS_ABOVE, top(info) + FREE_ABOVE]
    return {"tickvals": places, "ticktext": names}


def _row_name(info: RunInfo, layer: int, d: int) -> str:
    way = (" →", " ←")[d] if info.directions == 2 else ""
    return (f"layer {layer + 1}" if info.num_layers > 1 else "state") + way
