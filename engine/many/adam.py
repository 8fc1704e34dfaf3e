"""Adam for networks side by side, each with its own learning rate and clip threshold, as PyTorch computes it.

Source: Kingma and Ba (2015), algorithm 1, with the options that `torch.optim.Adam` has by default.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.experiment import Experiment

BETAS, EPS = (0.9, 0.999), 1e-8
CLIP_EPS = 1e-6  # as in torch.nn.utils.clip_grads_with_norm_


class Adam:
    """The state of S optimisers: `mean` and `square`, (S, P), the moving averages of gradients and of their squares."""

    def __init__(self, experiments: Sequence[Experiment], like: Tensor) -> None:
        self.mean, self.square = torch.zeros_like(like), torch.zeros_like(like)
        self._rates = torch.tensor([[e.learning_rate] for e in experiments], dtype=torch.float64)
        self._clip = experiments[0].clip
        self._thresholds = torch.tensor([[e.clip_threshold] for e in experiments], dtype=like.dtype)

    def clip(self, gradients: Tensor, norms: Tensor) -> None:
        """Clip every network's gradient (S, P) in place, by its own norm (S, 1) or number by number."""
        if self._clip == "norm":
            gradients.mul_((self._thresholds / (norms + CLIP_EPS)).clamp_(max=1.0))
        elif self._clip == "value":
            gradients.clamp_(-self._thresholds, self._thresholds)

    def update(self, parameters: Tensor, gradients: Tensor, step: int) -> None:
        """Make one update of the parameters (S, P) in place; `step` counts from 1."""
        first, second = BETAS
        self.mean.lerp_(gradients, 1 - first)
        self.square.mul_(second).addcmul_(gradients, gradients, value=1 - second)
        scale = self.square.sqrt().div_((1 - second**step) ** 0.5).add_(EPS)
        rates = (self._rates / (1 - first**step)).to(parameters.dtype)
        parameters.sub_(self.mean / scale * rates)
