"""One frame of a run: everything that was measured of a network after one update, as a frozen value. No torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.frame.frozen import FrozenArrays
from engine.frame.held_out import HeldOutRecord
from engine.frame.reading_request import READING_ARGUMENTS, ReadingRequest
from engine.frame.readings import (
    ChainTerms,
    Decomposition,
    FollowedLoss,
    GradientNorms,
    Preactivations,
    Saliency,
    Spectrum,
    StepFactors,
    WeightGradients,
)


@dataclass(frozen=True)
class Diagnosis:
    """The verdict on a frame, in words.

    Args:
        kind: one word, such as "vanished" or "healthy"; `engine.diagnosis` has the order and the limits.
        sentence: what a person should know, with the numbers in it.
        evidence: the numbers behind the verdict, by name.
        cure: changes of the Experiment that should help; empty if none is needed or none is known.
    """

    kind: str
    sentence: str
    evidence: dict[str, float]
    cure: dict[str, Any]


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingProgress(FrozenArrays):
    """How far the training of a network has come.

    Args:
        step: optimiser updates made; step 0 is the untrained network.
        loss: of the last update's batch, before that update, nats or squared error; in a frame of step 0, the probe's.
        seconds: training time so far, without the time spent on frames.
        param_grad_norm, param_grad_norm_clipped, clipped: of this update; NaN and False at step 0.
        recent_loss, earlier_loss: mean training loss of the last 20 updates, and of the 20 that came 100 updates
            before them; NaN until there are that many.
        recent_clipped: the share of the last 20 updates that were clipped.
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


@dataclass(frozen=True, eq=False, kw_only=True)
class Frame(HeldOutRecord, Preactivations, GradientNorms, TrainingProgress):
    """Everything measured of a network at one step of training. Arrays are read-only. Base classes add more fields.

    The probe is a held-out batch, fixed for the run; figures draw its sequence 0. T is the padded length. The time axis
    has T steps; in an encoder-decoder first the source's, then the target's. Field names are column names in
    recordings, and old recordings must stay readable: never rename a field, and give a new one a default.

    Args:
        probe_loss, metric: over the probe, in evaluation mode.
        hidden, cell: (layers, directions, T, units); cell is None without a cell state.
        gates: {name: (layers, directions, T, units)}, values between 0 and 1 (candidates between -1 and 1).
        embedding, embedding_share: (symbols, 2) float32, each symbol's learned vector projected to two dimensions, and
            the share of the variance that these keep, 0 to 1; see `engine.lens.embedding_map`. In an encoder-decoder,
            the source's. None if inputs are one-hot or values.
        upper: (output_layers, T, units), the states of the output layers; NaN at steps without an output.
        inputs: (T,) tokens or (T, input_size); at a decoder's steps the target tokens that it is given.
        outputs: (T, output_size) class probabilities or values, NaN at steps without an output. An autoregressive
            network is given the true previous outputs here (teacher forcing).
        free_outputs: the same, but the network is given its own previous outputs; None if it is not autoregressive.
        targets: (T,) classes or (T, output_size).
        loss_per_step: (T,), 0 where not counted. valid, counted: (T,) bool, real steps and steps with a loss.
        sequence_loss: (16,) l_b of every sequence of the probe; their mean is probe_loss.
        mean_weights: {name of a matrix: () float64, mean of |W|}, of all that is learned; empty in older recordings.
        spectral_norms: {name: () float64, largest singular value} of the weights from one state to the next, in a plain
            cell, which multiplies a gradient by them alone; of a weight of its own for each unit the largest size.
            Empty in gated cells and in older recordings.
        factors, weight_gradients: of the drawn sequence's last counted loss (in the reverse direction, the first).
        decomposition, spectrum, saliency, terms, followed: of the drawn sequence (the last: of the probe), at this very
            step; None unless they were requested (see `engine.frame.reading_request`).
        diagnosis: the verdict; None only until it has been made.
    """

    probe_loss: float
    metric: float
    hidden: np.ndarray
    cell: np.ndarray | None
    gates: dict[str, np.ndarray]
    embedding: np.ndarray | None
    embedding_share: float | None
    upper: np.ndarray
    inputs: np.ndarray
    outputs: np.ndarray
    free_outputs: np.ndarray | None
    targets: np.ndarray
    loss_per_step: np.ndarray
    sequence_loss: np.ndarray
    valid: np.ndarray
    counted: np.ndarray
    factors: StepFactors
    weight_gradients: WeightGradients
    mean_weights: dict[str, np.ndarray] = field(default_factory=dict)
    spectral_norms: dict[str, np.ndarray] = field(default_factory=dict)
    decomposition: Decomposition | None = None
    spectrum: Spectrum | None = None
    saliency: Saliency | None = None
    terms: ChainTerms | None = None
    followed: FollowedLoss | None = None
    diagnosis: Diagnosis | None = None

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

    @property
    def on_demand(self) -> frozenset[str]:
        """The requests that this frame answers: the names of the on-demand readings that it has, with arguments."""
        readings = {name: getattr(self, name) for name in READING_ARGUMENTS}
        return frozenset(
            str(ReadingRequest.answered_by(name, reading)) for name, reading in readings.items() if reading is not None
        )
