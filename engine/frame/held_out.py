"""What a run measured on its held-out sequences at fixed steps; the verdict's memory. No torch."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.frame.frozen import FrozenArrays
from engine.frame.run_info import RunInfo
from engine.tasks import task_of

STAYS_SOLVED = 2.0
"""Hysteresis: what counts as solved does so until its loss is this many times the bar."""


@dataclass(frozen=True, eq=False, kw_only=True)
class HeldOutRecord(FrozenArrays):
    """Measured on the held-out sequences of `engine.tasks.held_out`, at fixed steps of the training and at its last.

    Recordings made before there was such a record have none of it: step -1 and NaN.

    Args:
        held_out_step: the step of the newest measurement, at or before the frame's own.
        held_out_loss, held_out_metric: there; the loss in the unit of the run's, the metric of the free-running
            network.
        held_out_spread: how much the answers differ from sequence to sequence, see `engine.training.held_out`.
        held_out_first: the loss at step 0.
        held_out_earlier, held_out_earlier_step: loss and step of the newest measurement at a fixed step before that;
            where the newest lies between two fixed steps, at the end of a run, of the one before those.
        held_out_best, held_out_best_step: the lowest loss so far, and its step.
        held_out_best_training: the recent training loss at that step.
        held_out_ratio, held_out_gradient: the verdict's ratio there, and ||dL/ds|| where the last loss enters (probe).
        held_out_attends: with attention, what it passes counted in the ratio there; else it was through the state alone
            (`engine.diagnosis.attention`).
        held_out_band: in which of `engine.diagnosis.bands.LIMITS` it is, with hysteresis; -1 if it has none.
        held_out_leak: how much of a sequence's loss depends on other sequences of the probe, see `engine.lens.wiring`;
            measured once, at the first measurement. Exactly 0 is right.
        held_out_solved: loss and metric counted as solved there, or did before and are still close.
    """

    held_out_step: int = -1
    held_out_loss: float = math.nan
    held_out_metric: float = math.nan
    held_out_spread: float = math.nan
    held_out_first: float = math.nan
    held_out_earlier: float = math.nan
    held_out_earlier_step: int = -1
    held_out_best: float = math.nan
    held_out_best_step: int = -1
    held_out_best_training: float = math.nan
    held_out_ratio: float = math.nan
    held_out_gradient: float = math.nan
    held_out_attends: bool = True
    held_out_band: int = -1
    held_out_leak: float = math.nan
    held_out_solved: bool = False

    @property
    def has_record(self) -> bool:
        """True if the run measures its held-out sequences; an old recording does not, and is judged by its probe."""
        return self.held_out_step >= 0


def counts_as_solved(info: RunInfo, loss: float, metric: float, before: bool) -> bool:
    """True if a loss is below the bar and the task's metric is good enough; a little more is allowed once it was."""
    slack = STAYS_SOLVED if before else 1.0
    return loss < slack * info.held_out_solved_loss and metric_is_good(info, metric, before)


def metric_is_good(info: RunInfo, metric: float, before: bool = False) -> bool:
    """True if most answers are right, as the task's own metric says."""
    kind = task_of(info.experiment).metric
    if kind.higher_is_better:
        return metric >= kind.solved - (0.05 if before else 0.0)
    return metric <= kind.solved * (STAYS_SOLVED if before else 1.0)
