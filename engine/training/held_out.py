"""What a run's verdict needs of its past: loss, metric and spread on many held-out sequences, at fixed steps.

Which steps these are depends on the step and the batch size alone, and the sequences on the experiment's data alone.
The last step of a run is measured as well, and a network whose next update is refused. So the same step of a run has
the same record however often, and in whichever way, anybody looked at it.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np
import torch

from engine.diagnosis.attention import AttentionUse
from engine.diagnosis.bands import held_band
from engine.diagnosis.case import LEARNING_SHARE
from engine.frame.held_out import HeldOutRecord, counts_as_solved
from engine.frame.run_info import RunInfo
from engine.lens.wiring import leak
from engine.model import RecurrentNetwork
from engine.tasks import Batch, held_out, task_of

EARLY_STEPS = (10, 20, 50)
"""Steps of the first measurements; then every `interval` updates."""
COST_SHARE = 0.02
"""The share of the updates' time for the forward pass, by which `interval` is chosen. All in all it is 1.5 to 3 %."""


def interval(batch_size: int, sequences: int) -> int:
    """Updates between two measurements: a multiple of 50."""
    updates = sequences / (3 * batch_size)  # their forward pass costs as much: it is about a third of an update
    return max(50, min(400, 50 * math.ceil(updates / COST_SHARE / 50)))


class VerdictsGradient(NamedTuple):
    """The verdict's ratio, the norm where the last loss enters, and attention in numbers; None without attention."""

    ratio: float
    enters: float
    attention: AttentionUse | None = None


class HeldOutMonitor:
    """Measures a network on the held-out sequences of an experiment, and keeps the record."""

    def __init__(self, info: RunInfo) -> None:
        self._info = info
        self._batch: Batch | None = None
        self.record = HeldOutRecord()

    @property
    def batch(self) -> Batch:
        """The held-out sequences; drawn on first use."""
        if self._batch is None:
            self._batch = held_out(self._info.experiment)
        return self._batch

    def is_due(self, step: int) -> bool:
        """True at the fixed steps."""
        every = interval(self._info.experiment.batch_size, len(self.batch.lengths))
        return step == 0 or step in EARLY_STEPS or step % every == 0

    def measure(
        self, model: RecurrentNetwork, step: int, training_loss: float, gradient: VerdictsGradient, probe: Batch
    ) -> None:
        """Add the measurement of a step to the record.

        One between the fixed steps takes the place of the newest: the one before it stays as far away as usual.

        Args:
            training_loss: recent mean training loss; NaN if there is none yet.
            gradient: at this step, of the probe.
            probe: on which it is measured, at the first measurement, whether sequences meet.
        """
        before = self.record
        loss, metric, spread = measured(model, self.batch, self._info)
        early = 0 < step < EARLY_STEPS[-1]  # the first updates throw a gradient about: no verdict changes within 50
        earlier, earlier_step = before.held_out_loss, before.held_out_step
        if not self.is_due(step):
            earlier, earlier_step = before.held_out_earlier, before.held_out_earlier_step
        ratio, use, attends = gradient.ratio, gradient.attention, True
        if use is not None:
            learned = loss < LEARNING_SHARE * self._info.held_out_baseline
            attends = use.counts(learned, before.has_record and before.held_out_attends)
            ratio = ratio if attends else use.state_ratio
        better = not loss >= before.held_out_best  # also where there is no best yet
        self.record = dataclasses.replace(
            before,
            held_out_step=step,
            held_out_loss=loss,
            held_out_metric=metric,
            held_out_spread=spread,
            held_out_first=loss if step == 0 else before.held_out_first,
            held_out_earlier=earlier,
            held_out_earlier_step=earlier_step,
            held_out_best=loss if better else before.held_out_best,
            held_out_best_step=step if better else before.held_out_best_step,
            held_out_best_training=training_loss if better else before.held_out_best_training,
            held_out_ratio=ratio,
            held_out_gradient=gradient.enters,
            held_out_attends=attends,
            held_out_band=before.held_out_band if early else held_band(ratio, before.held_out_band),
            held_out_leak=leak(model, probe) if math.isnan(before.held_out_leak) else before.held_out_leak,
            held_out_solved=counts_as_solved(self._info, loss, metric, before.held_out_solved),
        )

    def state(self) -> dict[str, Any]:
        """The record as numbers, for a checkpoint."""
        return vars(self.record).copy()

    def restore(self, state: dict[str, Any] | None) -> None:
        """Load the record of a checkpoint; an older one has none."""
        self.record = HeldOutRecord(**(state or {}))


def measured(model: RecurrentNetwork, batch: Batch, info: RunInfo) -> tuple[float, float, float]:
    """(loss, metric, spread of the answers) of a network on a batch, in evaluation mode; see `HeldOutRecord`."""
    loss, metric, answers = answered(model, batch, info)
    return loss, metric, spread_of(answers, batch, info.outputs)


@torch.no_grad()
def answered(model: RecurrentNetwork, batch: Batch, info: RunInfo) -> tuple[float, float, np.ndarray]:
    """(loss, metric, answers) of a network on a batch, in evaluation mode."""
    training = model.training
    model.eval()
    try:
        logits = model(batch)
        losses = (model.step_losses(logits, batch) * model.loss_weights(batch)).sum(0)
        answers = model.predictions(logits, batch)
        free = model.predictions(model.generate(batch), batch) if info.is_autoregressive else answers
    finally:
        model.train(training)
    metric = task_of(info.experiment).metric.measure(batch, free)
    return float(losses.mean()), metric, answers


def spread_of(answers: np.ndarray, batch: Batch, outputs: str) -> float:
    """How much answers differ from sequence to sequence: 0 if every sequence gets the same.

    For values: their standard deviation at a step, divided by that of the targets there. For symbols: the mean distance
    (half the sum of absolute differences) of the probabilities from their mean at this step, between 0 and 1.
    """
    mean_over = np.where(batch.mask[..., None], answers, np.nan)
    steps = batch.mask.sum(1) > 1
    if not steps.any() or not np.isfinite(answers[batch.mask]).all():
        return math.nan
    with np.errstate(invalid="ignore", over="ignore"):
        off = mean_over[steps] - np.nanmean(mean_over[steps], axis=1, keepdims=True)
        if outputs == "symbols":
            return float(np.nanmean(np.abs(off).sum(-1) / 2))
        targets = np.where(batch.mask[..., None], batch.targets, np.nan)[steps]
        size = float(np.nanmean((targets - np.nanmean(targets, axis=1, keepdims=True)) ** 2))
        return math.sqrt(float(np.nanmean(off**2)) / size) if size > 0 else math.nan
