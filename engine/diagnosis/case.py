"""What the rules of the verdict look at: the named readings of one frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from engine.diagnosis.reasons import best_chain, per_step
from engine.diagnosis.text import reaches
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo


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
        return best_chain(self.info, self.frame)

    @property
    def ratio(self) -> float:
        """||dL/ds|| at the deciding step, divided by that where the loss enters, of that chain."""
        return float(self.frame.ratio[self.chain])

    @property
    def arrives(self) -> str:
        """A sentence on how much of the gradient arrives."""
        return reaches(self.info, self.ratio, self.chain)

    @property
    def has_record(self) -> bool:
        """True if the run measures its held-out sequences; an old recording does not, and is judged without."""
        return self.frame.held_out_step >= 0

    @property
    def loss(self) -> float:
        """The held-out loss of the newest measurement; without a record, that of the probe."""
        return self.frame.held_out_loss if self.has_record else self.frame.probe_loss

    @property
    def line(self) -> float:
        """The loss to beat, on the same sequences."""
        return self.info.held_out_baseline if self.has_record else self.info.baseline

    @property
    def share(self) -> float:
        """The loss as a part of the line."""
        return self.loss / self.line

    @property
    def is_falling(self) -> bool:
        """True if the held-out loss fell by a tenth between the last two measurements, or there was only one."""
        earlier = self.frame.held_out_earlier
        return not math.isfinite(earlier) or self.frame.held_out_loss < 0.9 * earlier

    @cached_property
    def evidence(self) -> dict[str, float]:
        """The numbers that every verdict carries."""
        info, frame, ratio = self.info, self.frame, self.ratio
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
        return numbers | per_step(info, frame, self.chain)
