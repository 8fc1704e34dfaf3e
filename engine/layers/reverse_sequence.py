"""Reversal of padded sequences, each within its own length."""

from __future__ import annotations

import torch
from torch import Tensor


def flip(values: Tensor, lengths: Tensor, batch_axis: int = 1) -> Tensor:
    """Reverse time (axis 0) within each sequence's own length; padding stays in place. It is its own inverse."""
    seq_len = len(values)
    if bool((lengths == seq_len).all()):
        return values.flip(0)
    t = torch.arange(seq_len)[:, None]
    order = torch.where(t < lengths, lengths - 1 - t, t).to(values.device)
    shape = [1] * values.dim()
    shape[0], shape[batch_axis] = seq_len, len(lengths)
    return values.take_along_dim(order.view(shape).expand_as(values), 0)
