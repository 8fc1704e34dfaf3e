"""The gradient of all weights, measured and clipped."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from engine.experiment import Experiment


def clip_gradient(experiment: Experiment, parameters: Sequence[nn.Parameter]) -> tuple[float, float]:
    """Clip the parameters' gradients in place as the experiment says: their global 2-norm before and after."""
    e = experiment
    total = nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
    norm = total.item()
    if e.clip == "norm":
        nn.utils.clip_grads_with_norm_(parameters, e.clip_threshold, total)
        return norm, min(norm, e.clip_threshold)
    if e.clip == "value":
        nn.utils.clip_grad_value_(parameters, e.clip_threshold)
        return norm, nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None]).item()
    return norm, norm
