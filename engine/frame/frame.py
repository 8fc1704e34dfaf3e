"""One frame of a run: everything that was measured of a network after one update, as a frozen value. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.frame.frozen import FrozenArrays
from engine.frame.readings import (
    ON_DEMAND_READINGS,
    Decomposition,
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
        kind: one word for the flag, as "vanished" or "healthy" (the order and limits stand in `engine.diagnosis`).
        sentence: what a person should know, with the numbers in it.
        evidence: the numbers that it rests on, by name.
        cure: Experiment changes that mend it; empty where there is nothing to mend or no cure.
    """

    kind: str
    sentence: str
    evidence: dict[str, float]
    cure: dict[str, Any]


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingProgress(FrozenArrays):
    """How far the training of a network is.

    Args:
        step: optimiser updates made; step 0 is the untrained network.
        loss: of the batch that made the update, nats or squared error; of a frame at step 0, the probe's.
        seconds: training time so far, without the time that frames took.
        param_grad_norm, param_grad_norm_clipped, clipped: of this update; NaN and False at step 0.
        recent_loss, earlier_loss: mean training loss of the last 20 updates, and of 20 a hundred updates before; NaN
            where there were not so many.
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
class Frame(Preactivations, GradientNorms, TrainingProgress):
    """One look at a network. Arrays are read-only; looking changed nothing. Its base classes have fields, too.

    Sequence 0 of the probe, the held-out batch that stays the same for the whole run, is the one drawn; T is its
    padded length. The time axis has T steps; in an encoder-decoder the source's, then the target's. Names of fields
    are names of columns in recordings, which stay readable: none may change, and a new one needs a default.

    Args:
        probe_loss, metric: over the probe, evaluation mode.
        hidden, cell: (layers, directions, T, units); cell is None where there is no cell state.
        gates: {name: (layers, directions, T, units)}, values between 0 and 1 (candidates between -1 and 1).
        embedding: (symbols, 2) float32, where each symbol's learned vector lies in two dimensions, and embedding_share,
            the part of their variance that these hold, 0 to 1; see `engine.lens.embedding_map`. An encoder-decoder
            shows the source's. None where inputs are one-hot or values.
        upper: (output_layers, T, units), the layers above that have no links in time; NaN in steps that have none.
        inputs: (T,) tokens or (T, input_size); in a decoder's steps the target tokens that are fed back.
        outputs: (T, output_size) class probabilities or values, NaN where the network says nothing. Where outputs are
            fed back, with the true ones coming in (teacher forcing).
        free_outputs: the same with the network's own outputs coming in; None where nothing is fed back.
        targets: (T,) classes or (T, output_size).
        loss_per_step: (T,), 0 where not counted. valid, counted: (T,) bool, real steps and steps with a loss.
        sequence_loss: (16,) l_b of every sequence of the probe, whose mean is probe_loss.
        factors, weight_gradients: of the drawn sequence's last counted loss (in the reverse direction the first).
        decomposition: of the drawn sequence and the top layers' losses; spectrum; saliency: None where nobody asked
            for them (`engine.frame.readings.ON_DEMAND_READINGS`); else of this very step.
        diagnosis: the verdict; None only before it is made.
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
    decomposition: Decomposition | None = None
    spectrum: Spectrum | None = None
    saliency: Saliency | None = None
    diagnosis: Diagnosis | None = None

    @property
    def on_demand(self) -> frozenset[str]:
        """Which of ON_DEMAND_READINGS it has."""
        return frozenset(name for name in ON_DEMAND_READINGS if getattr(self, name) is not None)
