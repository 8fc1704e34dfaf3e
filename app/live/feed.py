"""What the live socket sends: a run's newest frame as patches, and words about the run."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from app import text
from app.figures import Curves, Patch, applicable
from app.hub import Slot
from app.live.frames import pack
from engine.frame import Frame, RunInfo, RunStatus
from engine.history import History, Waterfall

SLOW_EVERY = 0.5  # seconds between two drawings of the curves over training


class Feed:
    """One socket's view of one run: what it has been sent, and so what is new to it."""

    def __init__(self, slot: Slot) -> None:
        self.run, self._ghost = slot.run, slot.ghost
        self._figures = applicable(slot.run.info)
        self.seen: frozenset[str] = frozenset()  # the figures on the screen, as the browser says
        self._sent: Frame | None = None
        self._drawn: dict[str, Frame] = {}  # the frame that each figure shows
        self._told: dict[str, Any] | None = None
        self._slow_due = 0.0

    def frame(self) -> bytes | None:
        """What is new of the newest frame. Asking makes the worker take the next, with the details on the screen."""
        details = {figure.needs for name, figure in self._figures.items() if figure.needs and name in self.seen}
        frame = self.run.latest(details)
        if frame is None:
            return None
        due = self._due(frame)
        if frame is self._sent and not due:
            return None
        first = self._sent is None
        info = dataclasses.replace(self.run.info, experiment=self.run.experiment)
        curves = curves_of(self.run.curve, self.run.waterfall)
        patches: dict[str, Patch] = {}
        for name in due:
            patches[name] = self._figures[name].patch(info, frame, curves)
            if name not in self._drawn and self._ghost is not None:
                ghost = self._ghost
                patches[name] |= self._figures[name].ghost(info, ghost.info, ghost.frame, curves_of(ghost.curve))
            self._drawn[name] = frame
        self._sent = frame
        return pack(
            patches,
            step=frame.step,
            readouts={name: self._figures[name].readout(info, frame) for name in (self._figures if first else due)},
            verdict=verdict(frame),
            status=self._status(),
        )

    def _due(self, frame: Frame) -> list[str]:
        """The figures that this frame changes, by what they show now; those drawn less often, if it is their time."""
        slow = self._sent is None or time.monotonic() >= self._slow_due or not self._is_training()
        due = [
            name
            for name, figure in self._figures.items()
            if self._drawn.get(name) is not frame
            and (name in self.seen or not figure.lazy)
            and (not figure.needs or figure.needs in frame.details)
            and (slow or not figure.slow or name not in self._drawn)
        ]
        if any(self._figures[name].slow for name in due):
            self._slow_due = time.monotonic() + SLOW_EVERY
        return due

    def news(self) -> bytes | None:
        """Words about the run, if they changed in more than the step; they need no asking."""
        status = self._status()
        if self._told is not None and all(status[key] == self._told[key] for key in ("phase", "message")):
            return None
        self._told = status
        return pack({}, status=status)

    def _is_training(self) -> bool:
        return self.run.status().phase == "running"

    def _status(self) -> dict[str, Any]:
        status: RunStatus = self.run.status()
        return {"phase": str(status.phase), "clock": text.clock(status), "message": status.message}


def curves_of(history: History, waterfall: Waterfall | None = None) -> Curves:
    """What is remembered of a run's training, as the figures want it."""
    return Curves(history.updates(), history.looks(), *([] if waterfall is None else [waterfall.table()]))


def verdict(frame: Frame) -> dict[str, Any]:
    """The diagnosis as the page says it."""
    found = frame.diagnosis
    if found is None:
        return {}
    word, sign, tone = text.VERDICTS[found.kind]
    return {
        "kind": found.kind,
        "word": word,
        "sign": sign,
        "tone": tone,
        "sentence": found.sentence,
        "cure": text.cure(found.cure),
        "changes": found.cure,
    }


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
                values = ["" if each is None else repr(float(each[at])) for each in measured]
                lines.append(",".join([str(frame.step), str(layer), ("forward", "reverse")[d], str(t), *values]))
    return "\n".join(lines) + "\n"
