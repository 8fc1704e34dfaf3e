"""What `train` prints: lines for a person, with a bar below them on a terminal, or JSON for a program."""

from __future__ import annotations

import json
import math
import sys
import time
from typing import Any, Protocol, TextIO

from engine.frame import Frame
from engine.tasks import held_out
from engine.training import Trainer

WIDTH = 30  # characters of the bar
REDRAW = 0.1  # seconds between two bars
CLEAR = "\r\x1b[K"
"""Back to the start of the line, and all of it gone."""


class Output(Protocol):
    """Where the training is told of."""

    def say(self, line: str) -> None:
        """A remark."""

    def update(self, trainer: Trainer) -> None:
        """An update was made."""

    def frame(self, frame: Frame) -> None:
        """A frame was taken."""

    def end(self, trainer: Trainer, reason: str, sentence: str, recorded: str | None) -> None:
        """The training is over: `reason` is "done", "not_finite" or "stopped"; recorded: the recording's file."""


class Lines:
    """A line for each frame; on a terminal a bar of how far it is."""

    def __init__(self) -> None:
        self._bar: TextIO | None = sys.stderr if sys.stderr.isatty() else None
        self._began, self._drawn = time.monotonic(), 0.0

    def say(self, line: str) -> None:
        """See `Output`."""
        self._clear()
        print(line, flush=True)

    def update(self, trainer: Trainer) -> None:
        """See `Output`."""
        now = time.monotonic()
        if self._bar is not None and now - self._drawn >= REDRAW:
            self._drawn = now
            self._bar.write(CLEAR + bar(trainer.step, trainer.experiment.steps, now - self._began))
            self._bar.flush()

    def frame(self, frame: Frame) -> None:
        """See `Output`."""
        sentence = frame.diagnosis.sentence if frame.diagnosis else ""
        self.say(f"{frame.step:7,}  loss {frame.loss:.4f}  held out {frame.probe_loss:.4f}  {sentence}")

    def end(self, trainer: Trainer, reason: str, sentence: str, recorded: str | None) -> None:
        """See `Output`."""
        if sentence:
            self.say(sentence)
        if trainer.info.metric_baselines:
            for line in _beside_simple_answers(trainer):
                self.say(line)
        if recorded is not None:
            self.say(f"Recorded in {recorded}.")

    def _clear(self) -> None:
        if self._bar is not None:
            self._bar.write(CLEAR)
            self._bar.flush()


def bar(step: int, steps: int, seconds: float) -> str:
    """How far a training is, in a line."""
    share = min(1.0, step / steps)
    left = f"  about {seconds / share * (1 - share):,.0f} s left" if step else ""
    return f"{'█' * round(WIDTH * share):·<{WIDTH}} {step:,} of {steps:,}{left}"


class JsonLines:
    """A JSON object in each line: one for each frame, and one at the end. Remarks go to the error output."""

    def say(self, line: str) -> None:
        """See `Output`."""
        print(line, file=sys.stderr, flush=True)

    def update(self, trainer: Trainer) -> None:
        """See `Output`."""

    def frame(self, frame: Frame) -> None:
        """See `Output`."""
        verdict = frame.diagnosis
        numbers = ("loss", "probe_loss", "metric", "held_out_loss", "held_out_metric", "param_grad_norm", "seconds")
        _print_json(
            event="frame", step=frame.step, **{name: _number(getattr(frame, name)) for name in numbers},
            verdict=verdict and verdict.kind, sentence=verdict and verdict.sentence,
            evidence=verdict and {name: _number(value) for name, value in verdict.evidence.items()},
            cure=verdict and verdict.cure,
        )  # fmt: skip

    def end(self, trainer: Trainer, reason: str, sentence: str, recorded: str | None) -> None:
        """See `Output`."""
        _print_json(event="end", reason=reason, step=trainer.step, sentence=sentence, recording=recorded)


def _print_json(**line: Any) -> None:
    print(json.dumps(line, ensure_ascii=False, allow_nan=False), flush=True)


def _number(value: Any) -> float | None:
    """A number as JSON has it; None if it is not finite, or was not measured."""
    return float(value) if value is not None and math.isfinite(value) else None


def _beside_simple_answers(trainer: Trainer) -> list[str]:
    """The network beside simple answers, all on the same held-out sequences."""
    info, batch = trainer.info, held_out(trainer.info.experiment)
    metric = trainer.metric(batch)
    beaten, count = info.beaten(metric), len(info.metric_baselines)
    lines = [f"On {len(batch.lengths)} held-out sequences, {info.metric_name}:", f"    {metric:10.4g}  this network"]
    for name, value in info.metric_baselines.items():
        beside = "" if name in beaten else "  (as good)" if value == metric else "  (better)"
        lines.append(f"    {value:10.4g}  {name}{beside}")
    many = "every simple answer" if len(beaten) == count else f"{len(beaten) or 'none'} of the {count} simple answers"
    return [*lines, f"It beats {many if count > 1 or beaten else 'no simple answer'}."]
