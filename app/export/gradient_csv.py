"""The gradient norms of one frame, or of all kept frames, as a table for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engine.frame import Frame, RunInfo

DIRECTIONS = ("forward", "reverse")


def gradient_csv(info: RunInfo, frame: Frame) -> str:
    """The gradient norms of one frame as CSV: a row per layer, direction and step."""
    norms = ["grad_norm", "grad_norm_direct", "grad_norm_last", "grad_norm_cell"]
    columns = ["step", "layer", "direction", "t", *norms, *(f"sequence_{name}" for name in norms)]
    lines = [",".join(columns)]
    layers, directions, seq_len = frame.grad_norm.shape
    for layer in range(layers):
        for d in range(directions):
            for t in range(seq_len):
                at = (layer, d, t)
                measured = [getattr(frame, name) for name in columns[4:]]
                values = ["" if norms is None else repr(float(norms[at])) for norms in measured]
                lines.append(",".join([str(frame.step), str(layer), DIRECTIONS[d], str(t), *values]))
    return "\n".join(lines) + "\n"


def gradients_csv(frames: Iterable[Frame]) -> str:
    """The gradient of the loss at every step, over training, as CSV: a row per training step, a column per t.

    The numbers are those of the figure: the median of ||dL/dh_t|| over the probe's sequences, and of ||dL/dc_t|| where
    there is a cell state. A network of several layers or directions has a row for each.
    """
    lines: list[str] = []
    for frame in frames:
        layers, directions, seq_len = frame.grad_norm.shape
        if not lines:
            lines.append(",".join(["step", "state", "layer", "direction", *(f"t{t}" for t in range(seq_len))]))
        for state, norms in (("h", frame.grad_norm), ("c", frame.grad_norm_cell)):
            for layer, d in np.ndindex(layers, directions) if norms is not None else ():
                measured = (repr(float(norm)) for norm in norms[layer, d])
                lines.append(",".join([str(frame.step), state, str(layer), DIRECTIONS[d], *measured]))
    return "\n".join(lines) + "\n"
