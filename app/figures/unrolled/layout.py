"""Where things stand in the unrolled picture: the steps that are drawn, and the rows from the inputs up."""

from __future__ import annotations

import numpy as np

from app.figures import theme
from engine.frame import RunInfo

MAX_COLUMNS, CELLS = 16, 8
MAX_CHANNELS = 16  # inputs of up to so many channels are drawn as strips
HALF = 0.36  # of a row's height, for a strip
LETTER, PASSAGE = 7.5, 26  # pixels: width of a letter, and room between two symbols for a line on its way down
TARGETS_ABOVE, FREE_ABOVE = 0.62, 1.18  # rows above the outputs, where outputs could be fed back


def columns(info: RunInfo) -> np.ndarray:
    """The steps drawn, at their true t: all, or evenly chosen ones with the first, the last and the border's two."""
    steps = info.time_steps
    chosen = np.linspace(0, steps - 1, min(_most_columns(info), steps)).round().astype(int)
    if not info.encoder_steps:
        return np.unique(chosen)
    if len(chosen) < steps:  # no answer so near the decoder's first that no line could pass between them
        near = info.encoder_steps + steps_of(info, 0.9 * _spacing(info))
        chosen = chosen[(chosen <= info.encoder_steps) | (chosen >= min(near, steps - 1))]
    return np.unique([*chosen, info.encoder_steps - 1, info.encoder_steps])


def _most_columns(info: RunInfo) -> int:
    return max(4, min(MAX_COLUMNS, int(theme.PLOT / _spacing(info)))) if info.is_autoregressive else MAX_COLUMNS


def _spacing(info: RunInfo) -> float:
    """Pixels from one answer, with its mark, to the next where a line has to pass between them."""
    return LETTER * (longest(info) + 1) + PASSAGE


def longest(info: RunInfo) -> int:
    """Letters of the longest symbol that can be said."""
    return max(len(theme.symbol(label)) for label in info.output_labels)


def answer_steps(info: RunInfo) -> np.ndarray:
    """The drawn steps that are asked for an answer."""
    return np.array([t for t in columns(info) if info.counted[t]], int)


def real(info: RunInfo) -> np.ndarray:
    """The drawn steps that are no padding."""
    return np.array([t for t in columns(info) if info.valid[t]], int)


def teacher_forced_steps(info: RunInfo) -> np.ndarray:
    """The drawn steps that read the target of the step before."""
    return real(info)[real(info) > info.encoder_steps] if info.is_autoregressive else np.zeros(0, int)


def steps_of(info: RunInfo, pixels: float) -> float:
    """A width on the screen as a stretch of the time axis, on a laptop."""
    low, high = theme.time_axis(info.time_steps)["range"]
    return float(pixels * (high - low) / theme.PLOT)


def half_width(info: RunInfo) -> float:
    """Half of a strip's width."""
    drawn = columns(info)
    spacing = np.diff(drawn).min() if len(drawn) > 1 else 0.5
    return float(0.26 * spacing)


def rows(info: RunInfo) -> list[tuple[int, int]]:
    """(layer, direction) of the recurrent rows from the bottom up; the upper layers stand above them."""
    e = info.experiment
    return [(layer, d) for layer in range(e.num_layers) for d in range(e.directions)]


def top(info: RunInfo) -> int:
    """The row of the outputs; inputs are row 0, states between."""
    return len(rows(info)) + info.experiment.output_layers + 1


def ceiling(info: RunInfo) -> float:
    """Upper end of the picture: room for two more rows where outputs could be fed back, and for the halves' names."""
    return top(info) + (FREE_ABOVE if info.is_autoregressive else 0) + (0.85 if info.encoder_steps else 0.4)


def units(info: RunInfo) -> np.ndarray:
    """The units drawn of each layer."""
    size = info.experiment.hidden_size
    return np.unique(np.linspace(0, size - 1, min(CELLS, size)).round().astype(int))


def strip_channels(info: RunInfo) -> int:
    """Channels of inputs that are drawn as strips, as a row of an image; 0 where they are written."""
    channels = len(info.input_labels)
    return channels if info.inputs == "values" and 2 < channels <= MAX_CHANNELS else 0


def ticks(info: RunInfo) -> dict:
    """The rows' names on the axis."""
    above = info.experiment.output_layers
    names = ["input", *(_row_name(info, *pair) for pair in rows(info))]
    names += [f"above {n + 1}" if above > 1 else "above" for n in range(above)]
    places: list[float] = list(range(len(names) + 1))
    names.append("output")
    if info.is_autoregressive:
        names += ["target", "by itself"]
        places += [top(info) + TARGETS_ABOVE, top(info) + FREE_ABOVE]
    return {"tickvals": places, "ticktext": names}


def _row_name(info: RunInfo, layer: int, d: int) -> str:
    e = info.experiment
    way = (" →", " ←")[d] if e.bidirectional else ""
    return (f"layer {layer + 1}" if e.num_layers > 1 else "state") + way
