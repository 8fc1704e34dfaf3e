"""The texts of the unrolled figure: input, output and target of a step, and the output of a free-running pass."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from app.figures import channels, theme
from app.figures.unrolled import layout
from engine.frame import Frame, RunInfo
from engine.number_format import short

NOTHING, BROKEN, MARKED = "\u00a0", "✗ not finite", "▴"


class DrawnSequence(Protocol):
    """One sequence with a network's outputs, with the field names of `Frame`."""

    @property
    def inputs(self) -> np.ndarray:
        """(T,) tokens or (T, channels)."""

    @property
    def valid(self) -> np.ndarray:
        """(T,) bool: False in padding."""

    @property
    def counted(self) -> np.ndarray:
        """(T,) bool: True where there is a loss."""

    @property
    def outputs(self) -> np.ndarray:
        """(T, output_size) class probabilities or values."""

    @property
    def targets(self) -> np.ndarray:
        """(T,) classes or (T, output_size)."""


def read(info: RunInfo, sequence: DrawnSequence, t: int) -> str:
    """Return the input at t as Plotly's text: in italics if it is the target before, in bold with a sign if marked."""
    if not sequence.valid[t] or layout.strip_channels(info):
        return NOTHING
    text = theme.escaped(plain_input(info, sequence, t))
    if text.endswith(MARKED):
        return f"<b>{text.removesuffix(MARKED)}</b>{MARKED}"
    symbolic = info.inputs == "symbols" or (info.image and len(info.input_labels) > 1 and text != "image")
    return f"<i>{text}</i>" if symbolic and info.is_autoregressive and t > info.encoder_steps else text


def plain_input(info: RunInfo, sequence: DrawnSequence, t: int) -> str:
    """Return the input at t as plain text."""
    if info.inputs == "symbols":
        labels = info.output_labels if info.encoder_steps and t >= info.encoder_steps else info.input_labels
        token = int(sequence.inputs[t])
        return theme.symbol(labels[token]) if token >= 0 else "start" if info.encoder_steps else "–"
    if info.image and len(info.input_labels) > 1:
        previous = sequence.inputs[t, -len(info.output_labels) :]
        teacher_forced = info.is_autoregressive and t > info.encoder_steps
        return info.output_labels[int(previous.argmax())] if teacher_forced else "image"
    if _is_on(info, sequence, channels.HIDDEN, t):
        return "?"
    text = tenths(float(sequence.inputs[t, 0]))
    return f"{text}{MARKED}" if _is_on(info, sequence, channels.MARK, t) else text


def tenths(value: float) -> str:
    """Format an input that is a number, where there is little room: .5, −1.2, 10.4, .0."""
    digits = f"{abs(value):.1f}"
    sign = "−" if value < 0 and digits != "0.0" else ""
    return sign + (digits[1:] if digits.startswith("0.") else digits)


def _is_on(info: RunInfo, sequence: DrawnSequence, name: str, t: int) -> bool:
    """Return whether the input at t has this sign."""
    channel = channels.sign(info.experiment, name)
    return channel is not None and bool(sequence.inputs[t, channel])


def answer(info: RunInfo, sequence: DrawnSequence, t: int) -> tuple[str, bool]:
    """Return the output at t, and True if it is right; with its probability if it is the only one."""
    if not sequence.counted[t]:
        return "", True
    if info.outputs == "symbols":
        text, right = _chosen(info, sequence, sequence.outputs, t)
        sure = float(np.max(sequence.outputs[t]))
        alone = sequence.counted.sum() == 1 and sure <= 1
        return f"<b>{text[:-1]}</b> {text[-1]} {sure:.0%}" if alone else text, right
    if not np.isfinite(sequence.outputs[t]).all():
        return BROKEN, False
    value, wanted = float(sequence.outputs[t, 0]), float(sequence.targets[t, 0])
    written = f"{value:.2f}" if abs(value) < 1e4 else short(value)
    return written, abs(value - wanted) < 0.1 * max(1.0, abs(wanted))


def by_itself(info: RunInfo, frame: Frame, t: int) -> tuple[str, bool]:
    """Return the output at t of a free-running pass, and True if it is right."""
    assert frame.free_outputs is not None
    return _chosen(info, frame, frame.free_outputs, t)


def target(info: RunInfo, frame: Frame, t: int) -> str:
    """Return the target at t as plain text."""
    return theme.symbol(info.output_labels[int(frame.targets[t])])


def _chosen(info: RunInfo, sequence: DrawnSequence, outputs: np.ndarray, t: int) -> tuple[str, bool]:
    """Return the most probable symbol with its mark, and True if it is right."""
    if not np.isfinite(outputs[t]).all():
        return BROKEN, False
    chosen = int(np.argmax(outputs[t]))
    right = chosen == int(sequence.targets[t])
    return theme.escaped(info.output_labels[chosen]) + ("✓" if right else "✗"), right


def hover(info: RunInfo, frame: Frame, layer: int, d: int, t: int) -> str:
    """Return the tooltip of one state."""
    if not frame.valid[t]:
        return "padding: the sequence has no such step"
    if not info.has(d)[t]:
        return "a decoder reads one way: it has no such state"
    norm = frame.sequence_grad_norm[layer, d, t]
    written = f"gradient of this sequence {'exactly 0' if norm == 0 else short(norm)}"
    if frame.counted[t]:
        return written
    return f"{written}<br>no loss here ({'masked' if t >= info.encoder_steps else 'the encoder only reads'})"
