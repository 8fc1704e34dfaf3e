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
        self._learning_rates = torch.tensor([[e.learning_rate] for e in experiments], dtype=torch.float64)
        self._rates, self._root = torch.zeros_like(like[:, :1]), torch.ones_like(like[0, 0])
        self._clip = experiments[0].clip
        self._thresholds = torch.tensor([[e.clip_threshold] for e in experiments], dtype=like.dtype, device=like.device)

    def begin(self, step: int) -> None:
        """Compute what depends on the step alone, which counts from 1."""
        first, second = BETAS
        self._rates.copy_(self._learning_rates / (1 - first**step))
        self._root.fill_((1 - second**step) ** 0.5)

    def clip(self, gradients: Tensor, norms: Tensor) -> None:
        """Clip every network's gradient (S, P) in place, by its own norm (S, 1) or number by number."""
        if self._clip == "norm":
            gradients.mul_((self._thresholds / (norms + CLIP_EPS)).clamp_(max=1.0))
        elif self._clip == "value":
            gradients.clamp_(-self._thresholds, self._thresholds)

    def update(self, parameters: Tensor, gradients: Tensor, going: Tensor) -> None:
        """Make the update of the step that `begin` was told, of the parameters (S, P) in place.

        Args:
            going: (S, 1) bool, False for networks that stay as they are.
        """
        first, second = BETAS
        mean = self.mean.lerp(gradients, 1 - first)
        square = (self.square * second).addcmul_(gradients, gradients, value=1 - second)
        updated = parameters - mean / square.sqrt().div_(self._root).add_(EPS) * self._rates
        for rows, changed in ((self.mean, mean), (self.square, square), (parameters, updated)):
            torch.where(going, changed, rows, out=rows)
