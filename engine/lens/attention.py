"""Attention in the lens: its weights in float64, and what it passes back to the decoder's and the encoder's states."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.lens.scaled import Scaled


@dataclass(frozen=True, eq=False)
class AttentionGradients:
    """What attention passes back, (D, S, B, H) or, to the encoder, (source steps, S, B, H), S the seeds of a sweep.

    Args:
        states: dL/dd_i that enters the decoder's top layer at i: from the head, and through the scores.
        values: dL/dh_j that enters the encoder's top layer at j because h_j was read, sum of alpha_ij p_i.
        scores: the same because h_j was compared with the d_i.
        memory: values and scores together.
    """

    states: Scaled
    values: Scaled
    scores: Scaled
    memory: Scaled

    def of_seeds(self, some: slice) -> AttentionGradients:
        """Slice the seeds."""
        parts = (self.states, self.values, self.scores, self.memory)
        return AttentionGradients(*(part.rows(some) for part in parts))


@dataclass(frozen=True, eq=False)
class AttentionTrace:
    """Attention of one forward call, recomputed in float64, so that a weight of 1e-60 is not 0.

    Args:
        weights: alpha, (B, D, S) with S source steps; exactly 0 on padding.
        states: d_i, (B, D, H). memory: h_j, (B, S, H). scale: of the scores.
    """

    weights: Tensor
    states: Tensor
    memory: Tensor
    scale: float

    def backward(self, readout: Tensor) -> AttentionGradients:
        """Pass gradients back through the contexts to the states that they were made of.

        With p_i = dL/dm_i the scores get dL/de_ij = alpha_ij p_i . (h_j - m_i).

        Args:
            readout: (D, seeds, B, 2 H), with respect to states and contexts side by side, as the head reads them.
        """
        of_states, p = readout.double().permute(2, 1, 0, 3).chunk(2, -1)  # (B, seeds, D, H) each
        scores = self._score_gradients(p)  # (B, seeds, D, S)
        values = self.weights.transpose(1, 2)[:, None] @ p
        compared = scores.transpose(2, 3) @ self.states[:, None]
        states = of_states + scores @ self.memory[:, None]
        return AttentionGradients(
            *(
                Scaled.of_float64(each.permute(2, 1, 0, 3), readout.dtype)
                for each in (states, values, compared, values + compared)
            )
        )

    def sent(self, readout: Tensor) -> Tensor:
        """The norm of what each decoder step sends to each source step directly, (D, S) of the first sequence.

        Args:
            readout: (D, B, 2 H), as of `backward`, without seeds.
        """
        p = readout.double()[:, 0].chunk(2, -1)[1]  # (D, H)
        scores = self._score_gradients(p[None, None])[0, 0]
        rows = self.weights[0][..., None] * p[:, None] + scores[..., None] * self.states[0][:, None]  # (D, S, H)
        return torch.linalg.vector_norm(rows, dim=-1)

    def _score_gradients(self, p: Tensor) -> Tensor:
        """dL/d(d_i . h_j) from p (B, seeds, D, H): (B, seeds, D, S). The first sequences, as many as p has."""
        weights, memory = self.weights[: len(p), None], self.memory[: len(p), None]
        along = p @ memory.transpose(2, 3)
        return weights * (along - (weights * along).sum(-1, keepdim=True)) * self.scale
