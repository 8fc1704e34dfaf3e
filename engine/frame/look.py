"""What one look at a network measures of its chain of states, as a frozen value: no task, no outputs. No torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.frame.attention import AttentionReading
from engine.frame.reading_request import READING_ARGUMENTS, ReadingRequest
from engine.frame.readings import (
    ChainTerms,
    Decomposition,
    FollowedLoss,
    GradientNorms,
    Preactivations,
    Spectrum,
    StepFactors,
    WeightGradients,
)


@dataclass(frozen=True)
class Diagnosis:
    """The verdict on a look, in words.

    Args:
        kind: one word, such as "vanished" or "healthy"; `engine.diagnosis` has the order and the limits.
        sentence: what a person should know, with the numbers in it.
        evidence: the numbers behind the verdict, by name.
        cure: changes of the Experiment that should help; empty if none is needed or none is known.
        advice: what to write instead in one's own PyTorch script; empty where `cure` says it in settings, or none is
            known.
    """

    kind: str
    sentence: str
    evidence: dict[str, float]
    cure: dict[str, Any]
    advice: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class Look(Preactivations, GradientNorms):
    """States and gradients of a chain of states at one step of training: of any network, whatever it is trained for.

    T is the padded length of the time axis. Several sequences are measured ("the probe"); figures draw the first, "the
    drawn sequence". Arrays are read-only. Base classes add more fields.

    Args:
        step: optimiser updates made; step 0 is the untrained network. Of a model that is watched, backward passes.
        hidden, cell: (layers, directions, T, units), of the drawn sequence; cell is None without a cell state.
        first_hidden, first_cell: (layers, directions, units), of h and c before the first step; None where they are 0.
        gates: {name: (layers, directions, T, units)}, values between 0 and 1 (candidates between -1 and 1).
        valid, counted: (T,) bool, real steps and steps where a loss enters.
        mean_weights: {name of a matrix: () float64, mean of |W|}, of all that is learned; empty in older recordings.
        spectral_norms: {name: () float64, largest singular value} of the weights from one state to the next, in a plain
            cell, which multiplies a gradient by them alone; of a weight of its own for each unit the largest size.
            Empty in gated cells and in older recordings.
        factors, weight_gradients: of the drawn sequence's last counted loss (in the reverse direction, the first).
        attention: what a decoder reads of its encoder's states; None without attention.
        decomposition, spectrum, terms, followed: of the drawn sequence (the last: of the probe), at this very step;
            None unless they were requested (see `engine.frame.reading_request`).
        diagnosis: the verdict; None only until it has been made.
    """

    step: int
    hidden: np.ndarray
    cell: np.ndarray | None
    gates: dict[str, np.ndarray]
    valid: np.ndarray
    counted: np.ndarray
    factors: StepFactors
    weight_gradients: WeightGradients
    first_hidden: np.ndarray | None = None
    first_cell: np.ndarray | None = None
    mean_weights: dict[str, np.ndarray] = field(default_factory=dict)
    spectral_norms: dict[str, np.ndarray] = field(default_factory=dict)
    attention: AttentionReading | None = None
    decomposition: Decomposition | None = None
    spectrum: Spectrum | None = None
    terms: ChainTerms | None = None
    followed: FollowedLoss | None = None
    diagnosis: Diagnosis | None = None

    @property
    def on_demand(self) -> frozenset[str]:
        """The requests that this look answers: the names of the on-demand readings that it has, with arguments."""
        readings = {name: getattr(self, name, None) for name in READING_ARGUMENTS}
        return frozenset(
            str(ReadingRequest.answered_by(name, reading)) for name, reading in readings.items() if reading is not None
        )
