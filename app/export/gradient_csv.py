"""The gradient norms of one frame as a table for a spreadsheet."""

from __future__ import annotations

from engine.frame import Frame, RunInfo


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
                lines.append(",".join([str(frame.step), str(layer), ("forward", "reverse")[d], str(t), *values]))
    return "\n".join(lines) + "\n"
