"""Dot-product attention: what each step of a decoder reads of all the encoder's states."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def attend(states: Tensor, memory: Tensor, lengths: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Read from `memory` with weights that the decoder's states choose: softmax over the scores, then a mean.

    Padding has a score of minus infinity before the softmax: its weight is exactly 0, and the others add up to 1.

    Args:
        states: d_i of the decoder's top layer, (D, batch, H).
        memory: h_j of the encoder's top layer, (S, batch, H).
        lengths: (batch,), how many of the S steps are real.
        scale: of the scores d_i . h_j.

    Returns:
        The contexts m_i = sum of alpha_ij h_j, (D, batch, H), and the weights alpha, (batch, D, S).

    Source: Luong, Pham and Manning (2015), "dot", with the context beside the state and no input feeding; scaled as in
    Vaswani et al. (2017).
    """
    queries, read = states.transpose(0, 1), memory.transpose(0, 1)  # (batch, D, H), (batch, S, H)
    scores = queries @ read.transpose(1, 2) * scale
    is_padding = torch.arange(len(memory), device=lengths.device) >= lengths[:, None]  # (batch, S)
    weights = torch.softmax(scores.masked_fill(is_padding[:, None], -math.inf), dim=-1)
    return (weights @ read).transpose(0, 1), weights


def score_scale(attention: str, hidden_size: int) -> float:
    """By what the setting `attention` multiplies the scores."""
    return 1 / math.sqrt(hidden_size) if attention == "scaled_dot" else 1.0
