"""What a decoder reads of its encoder's states, and how the gradient comes back, as a frozen value. No torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.frame.frozen import FrozenArrays

ATTENTION_PATHS = ("state", "values", "scores")
"""The ways by which a gradient comes into an encoder that is attended: through the state that the decoder starts from;
through the states that it reads, weighted; through the scores that choose the weights."""


@dataclass(frozen=True, eq=False, kw_only=True)
class AttentionReading(FrozenArrays):
    """What the steps of a decoder read of its encoder's states, and by which paths the gradient comes back.

    D are the decoder's steps, S the encoder's; float64. Of the drawn sequence where nothing else is said. The vectors
    of the three `ATTENTION_PATHS` add up to dL/dh_j; their norms do not, so beside them stand shares, <part, whole> /
    ||whole||^2, which add up to 1 and may be negative; NaN where the whole is 0.

    Args:
        weights: (D, S), alpha_ij, how much step i reads of the encoder's state j. A row adds up to 1; exactly 0 on
            padding. mean_weights: their mean over the probe's sequences that are real at i and j; NaN where none is.
        sent: (D, S), the norm of the gradient that the loss of step i sends along this line, straight to h_j of the
            encoder's top layer: || alpha_ij p_i + dL/de_ij d_i ||, p_i = dL/dm_i.
        norms, shares: {path: (layers, directions, S)}, of dL/dh_j of all losses together (`sequence_grad_norm`).
        last_norms, last_shares: the same of the last loss alone at the state that carries memory
            (`sequence_grad_norm_memory`).
        state_ratio: (layers, directions), as `ratio`, but through the state alone, as if nothing were attended.
        around_share: (layers, directions), at the step that decides the share of the last loss's gradient that came
            through values and scores; median over the probe.
        deciding_weight: how much the last loss's step reads of the step that decides, median over the probe; NaN if
            that is none of the encoder's. largest_weight: how much it reads of the step that it reads most of.
            even_weight: what both would be if all real steps were read alike.
        around_grad_norm: median over the probe of the norm of what attention sends to all the encoder's states, as one
            long vector; beside it `bottleneck_grad_norm` is what came through the state. sequence_around_grad_norm: the
            same of the drawn sequence.
    """

    weights: np.ndarray
    mean_weights: np.ndarray
    sent: np.ndarray
    norms: dict[str, np.ndarray]
    shares: dict[str, np.ndarray]
    last_norms: dict[str, np.ndarray]
    last_shares: dict[str, np.ndarray]
    state_ratio: np.ndarray
    around_share: np.ndarray
    deciding_weight: float
    largest_weight: float
    even_weight: float
    around_grad_norm: float
    sequence_around_grad_norm: float
