"""What the rules of the verdict look at: the named readings of one frame."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.diagnosis.attention import AttentionUse
from engine.diagnosis.bands import BANDS, SHRINKING, band, near
from engine.diagnosis.reasons import best_chain, per_step, steps_between
from engine.diagnosis.text import pace, reaches
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo

LEARNING_SHARE = 0.8  # of the line: with a lower loss, the network has learned something from the input
MET = 1.05  # times the line: a loss below this has met it


@dataclass(frozen=True)
class Case:
    """One frame of one run, to be judged."""

    info: RunInfo
    frame: Frame

    @property
    def e(self) -> Experiment:
        """The experiment, with the live settings of this frame."""
        return self.info.experiment

    @cached_property
    def chain(self) -> tuple[int, int]:
        """(layer, direction) with the largest ratio."""
        if self.attends or self.frame.attention is None:
            return best_chain(self.info, self.frame)
        ratios = self.frame.attention.state_ratio
        layer, direction = np.unravel_index(int(ratios.argmax()), ratios.shape)
        return int(layer), int(direction)

    @cached_property
    def attention(self) -> AttentionUse | None:
        """Attention in numbers, in this very frame; None without attention."""
        reading = self.frame.attention
        return None if reading is None else AttentionUse.of(reading, best_chain(self.info, self.frame))

    @property
    def attends(self) -> bool:
        """False where attention passes gradient, but says nothing yet: then the way through the state alone is judged.

        At the last measurement, if there is one.
        """
        if self.has_record or self.attention is None:
            return self.frame.held_out_attends
        return self.attention.counts(self.progresses)

    @property
    def own_ratio(self) -> float:
        """||dL/ds|| at the deciding step, divided by that where the loss enters, of that chain, in this very frame."""
        if self.attends or self.attention is None:
            return float(self.frame.ratio[self.chain])
        return self.attention.state_ratio

    @cached_property
    def band(self) -> str:
        """The kind of verdict by the ratio alone: that of the last measurement, if there is one."""
        return BANDS[self.frame.held_out_band] if self.frame.held_out_band >= 0 else band(self.own_ratio)

    @cached_property
    def ratio(self) -> float:
        """The frame's own ratio if it is in the band or hardly outside, else that of the last measurement."""
        own = self.own_ratio
        if self.frame.held_out_band < 0 or (own > 0 and near(self.band, own)):
            return own
        return self.frame.held_out_ratio

    @property
    def enters(self) -> float:
        """||dL/ds|| where the last loss enters: at the last measurement, or in the frame if it has no record."""
        gradient = self.frame.held_out_gradient
        return self.frame.output_grad_norm if math.isnan(gradient) else gradient

    @property
    def arrives(self) -> str:
        """A sentence on how much of the gradient arrives."""
        return self.reaches()

    def reaches(self, enters: float = math.inf) -> str:
        """The same; if the number is not of this very frame, it says of which step.

        Args:
            enters: as for `engine.diagnosis.text.reaches`.
        """
        sentence = reaches(self.info, self.ratio, self.chain, enters)
        if self.ratio != self.own_ratio and self.info.measured_lag:
            sentence = f"At step {self.frame.held_out_step:,}, {sentence[0].lower()}{sentence[1:]}"
        if self.attention is None:
            return sentence
        return f"{sentence} {self.attention.in_words}" if self.attends else self.attention.alone(sentence)

    @property
    def pace(self) -> str:
        """A sentence on what one step leaves of the gradient; none where it does not come step by step."""
        return "" if self.attention is not None and self.attends else pace(self.info, self.ratio)

    @property
    def has_record(self) -> bool:
        """True if the run measures its held-out sequences."""
        return self.frame.has_record

    @property
    def loss(self) -> float:
        """The held-out loss of the newest measurement; without a record, that of the probe."""
        return self.frame.judged_loss

    @cached_property
    def line_name(self) -> str:
        """What gives the loss to beat, such as "guessing"."""
        return next(iter(self.info.judged_baselines(self.has_record)))

    @property
    def line(self) -> float:
        """The loss to beat, on the same sequences."""
        return self.info.judged_baselines(self.has_record)[self.line_name]

    @property
    def share(self) -> float:
        """The loss as a part of the line."""
        return self.loss / self.line

    @property
    def progresses(self) -> bool:
        """True if the network has learned something from the input: such a run is not to be begun anew."""
        return self.share < LEARNING_SHARE

    @property
    def beats_simple_answers(self) -> bool:
        """True if its held-out metric is better than that of every simple answer; False where the task has none."""
        best = self.info.best_metric_baseline
        return self.has_record and best in self.info.beaten(self.frame.held_out_metric)

    @property
    def needs_no_more(self) -> bool:
        """True if the gradient shrinks, but no step is known to matter further back, and the loss has met the line."""
        met = self.has_record and self.share < MET
        return self.info.lag is None and met and self.ratio > 0 and self.band in SHRINKING

    @property
    def is_falling(self) -> bool:
        """True if the held-out loss fell by a tenth, to its lowest yet, at the newest measurement, or has one only."""
        frame = self.frame
        if not math.isfinite(frame.held_out_earlier):
            return True
        return frame.held_out_loss < 0.9 * frame.held_out_earlier and frame.held_out_best_step == frame.held_out_step

    @cached_property
    def evidence(self) -> dict[str, float]:
        """The numbers that every verdict carries."""
        info, frame, ratio = self.info, self.frame, self.own_ratio
        numbers = {
            "ratio": ratio,
            "lag": float(info.measured_lag),
            "loss": frame.probe_loss,
            "baseline": info.baseline,
            "gradient_at_output": frame.output_grad_norm,
            "layer": float(self.chain[0]),
            "direction": float(self.chain[1]),
        }
        if self.has_record:
            numbers |= {"held_out_loss": self.loss, "held_out_line": self.line, "metric": frame.held_out_metric}
        if 0 < ratio < math.inf and info.measured_lag_unpadded:
            numbers["factor_per_step"] = ratio ** (1 / info.measured_lag_unpadded)
        if self.attention is not None:
            numbers |= dataclasses.asdict(self.attention)
        return numbers | per_step(info, frame, self.chain, steps_between(info, self.chain[1]))
