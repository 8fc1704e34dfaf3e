"""Looks at sequences of different lengths, laid on one time axis. No torch."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from engine.frame import Chain, Look
from engine.frame.frozen import FrozenArrays
from engine.recording.shapes import axes_of

ZERO_IN_PADDING = ("from_input", "from_state", "weight_gradients", "terms", "followed")
"""Paths of what is 0 at padded steps; every other number is not defined there."""


def on_axis(chain: Chain, look: Look, steps: int) -> tuple[Chain, Look]:
    """The same look on a time axis of `steps` steps, as long as its own or longer: what is added is padding."""
    more = steps - chain.time_steps
    return (longer(chain, steps), _padded(look, more, "")) if more else (chain, look)


def longer(chain: Chain, steps: int) -> Chain:
    """The same chain with so many steps, as many as its own or more: those that are added are padding."""
    absent = (False,) * (steps - chain.time_steps)
    names = (*chain.step_names, *[""] * len(absent)) if chain.step_names else ()
    return dataclasses.replace(
        chain, time_steps=steps, valid=chain.valid + absent, counted=chain.counted + absent, step_names=names
    )


def _padded(value: Any, more: int, path: str) -> Any:
    """A reading with `more` steps at the end of every array that has a time axis."""
    if isinstance(value, FrozenArrays):
        every = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return dataclasses.replace(value, **_padded(every, more, path))
    if isinstance(value, dict):
        return {name: _padded(each, more, _join(path, name)) for name, each in value.items()}
    axes = (axes_of(path) or "").split()
    if not isinstance(value, np.ndarray) or "time" not in axes:
        return value
    widths = [(0, more if name == "time" else 0) for name in axes]
    outside = np.nan if value.dtype.kind == "f" and not path.startswith(ZERO_IN_PADDING) else 0
    return np.pad(value, widths, constant_values=outside)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
