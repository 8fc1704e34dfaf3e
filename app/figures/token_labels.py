"""Tick labels of the time axis: the input, or the target, at each step of the drawn sequence."""

from __future__ import annotations

import html

import numpy as np

from app.figures import theme
from app.figures.base import Patch
from engine.frame import Chain, Frame, Look, RunInfo
from engine.number_format import short

LETTER, LINE = 6.4, 11  # pixels: width of a letter, height of a slanted label
MAX_LETTERS = 12
SLANT = -38  # degrees


def inputs(info: Chain, look: Look) -> list[str]:
    """Return the input symbol of every step; "" for padding, and at every step where inputs are numbers or unknown."""
    if info.inputs != "symbols" or not (isinstance(info, RunInfo) and isinstance(look, Frame)):
        return [""] * info.time_steps
    return [_input_at(info, int(token), t) if look.valid[t] else "" for t, token in enumerate(look.inputs)]


def _input_at(info: RunInfo, token: int, t: int) -> str:
    if token < 0:  # nothing is read yet
        return "start" if info.encoder_steps else "–"
    decodes = 0 < info.encoder_steps <= t
    return theme.escaped((info.output_labels if decodes else info.input_labels)[token], MAX_LETTERS)


def targets(info: RunInfo, frame: Frame) -> list[str]:
    """Return the target of every counted step, a symbol or a number; "" elsewhere."""
    if info.outputs != "symbols":
        numbers = [short(float(value)) for value in np.asarray(frame.targets)[:, 0]]
        return [number if counted else "" for number, counted in zip(numbers, frame.counted, strict=True)]
    return [
        theme.escaped(info.output_labels[int(target)], MAX_LETTERS) if counted else ""
        for target, counted in zip(frame.targets, frame.counted, strict=True)
    ]


def axis(info: Chain, labels: tuple[str, ...] | None) -> dict:
    """Return the time axis with an empty tick label at every step, or with numbers if labels do not fit.

    Args:
        labels: the possible labels; None if the data are numbers.
    """
    plain = theme.time_axis(info.time_steps, names=info.step_names)
    if not shown(info, labels):
        return plain
    steps = info.time_steps
    return {
        **plain,
        "tickmode": "array",
        "tickvals": list(range(steps)),
        "ticktext": [""] * steps,
        "tickangle": 0,
        "ticks": "",
    }


def shown(info: Chain, labels: tuple[str, ...] | None) -> bool:
    """Return True if there are labels and they fit: single letters side by side, longer ones slanted."""
    if labels is None:
        return False
    return theme.PLOT / info.time_steps >= (LETTER + 2 if max(map(len, labels)) == 1 else LINE)


def ticks(info: Chain, words: list[str]) -> Patch:
    """Patch the tick labels: slanted only if one is wider than a step, with the room they need below the axis."""
    longest = max(len(html.unescape(word)) for word in words)
    slanted = longest > 1 and longest * LETTER + 5 > theme.PLOT / info.time_steps
    drop = longest * LETTER * np.sin(np.radians(-SLANT)) if slanted else 0
    return {
        "layout.xaxis.ticktext": words,
        "layout.xaxis.tickangle": SLANT if slanted else 0,
        "layout.margin.b": 24 + round(drop),
    }


def caption(label: str) -> dict:
    """Return the annotation in the left margin that names the tick labels."""
    return {"xref": "paper", "yref": "paper", "x": 0, "y": 0, "xanchor": "right", "yanchor": "top", "xshift": -8,
            "yshift": -3, "text": label, "showarrow": False, "font": {"size": 11}}  # fmt: skip
