"""One frame of a run: everything that was measured of a network after one update, as a frozen value. No torch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.frame.frozen import FrozenArrays
from engine.frame.held_out import HeldOutRecord
from engine.frame.look import Look
from engine.frame.readings import Saliency, TagAccuracies
from engine.frame.wiring import Wiring


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingProgress(FrozenArrays):
    """How far the training of a network has come.

    Args:
        step: optimiser updates made; step 0 is the untrained network.
        loss: of the last update's batch, before that update, nats or an error; in a frame of step 0, the probe's.
        seconds: training time so far, without the time spent on frames.
        param_grad_norm, param_grad_norm_clipped, clipped: of this update; NaN and False at step 0.
        recent_loss, earlier_loss: mean training loss of the last 20 updates, and of the 20 that came 100 updates
            before them; NaN until there are that many.
        recent_clipped: the share of the last 20 updates that were clipped.
        on_gpu: the network was on a CUDA device. False in recordings that are older than this field.
        learning_rate: of the next update. NaN in recordings that are older than this field.
        stored_gradient: norm of the gradients that the last 20 updates were made with, before clipping, divided by that
            of the gradients of their own batches: 1, unless others were still there. NaN where it was not measured.
    """

    step: int
    loss: float
    seconds: float
    param_grad_norm: float
    param_grad_norm_clipped: float
    clipped: bool
    recent_loss: float
    earlier_loss: float
    recent_clipped: float
    on_gpu: bool = False
    learning_rate: float = math.nan
    stored_gradient: float = math.nan


@dataclass(frozen=True, eq=False, kw_only=True)
class Frame(HeldOutRecord, Wiring, Look, TrainingProgress):
    """Everything measured of a network at one step of training: a look, and its task's part.

    The probe is a held-out batch, fixed for the run; figures draw its sequence 0. The time axis has T steps; in an
    encoder-decoder first the source's, then the target's. Field names are column names in recordings, and old
    recordings must stay readable: never rename a field, and give a new one a default.

    Args:
        probe_loss, metric: over the probe, in evaluation mode.
        embedding, embedding_share: (symbols, 2) float32, each symbol's learned vector projected to two dimensions, and
            the share of the variance that these keep, 0 to 1; see `engine.lens.embedding_map`. In an encoder-decoder,
            the source's. None if inputs are one-hot or values.
        upper: (output_layers, T, units), the states of the output layers; NaN at steps without an output.
        inputs: (T,) tokens or (T, input_size); at a decoder's steps the target tokens that it is given.
        outputs: (T, output_size) class probabilities or values, NaN at steps without an output. An autoregressive
            network is given the true previous outputs here (teacher forcing).
        free_outputs: the same, but the network is given its own previous outputs; None if it is not autoregressive.
        targets: (T,) classes or (T, output_size).
        loss_per_step: (T,), 0 where not counted.
        sequence_loss: (16,) l_b of every sequence of the probe; their mean is probe_loss.
        saliency, tags: of the drawn sequence, and of the held-out words, at this very step; None unless they were
            requested.
    """

    probe_loss: float
    metric: float
    embedding: np.ndarray | None
    embedding_share: float | None
    upper: np.ndarray
    inputs: np.ndarray
    outputs: np.ndarray
    free_outputs: np.ndarray | None
    targets: np.ndarray
    loss_per_step: np.ndarray
    sequence_loss: np.ndarray
    saliency: Saliency | None = None
    tags: TagAccuracies | None = None

    @property
    def judged_step(self) -> int:
        """The step of the held-out loss by which this frame is judged, at or before its own."""
        return self.held_out_step if self.has_record else self.step

    @property
    def judged_loss(self) -> float:
        """That loss, in the unit of the run's: of the held-out record, or without one of the probe."""
        return self.held_out_loss if self.has_record else self.probe_loss

    @property
    def judged_metric(self) -> float:
        """The metric of the same sequences."""
        return self.held_out_metric if self.has_record else self.metric
