"""State dicts as `torch.save` writes them, opened without running anything from the file."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

MAX_NUMBERS = 2**28 // 4


def load(content: bytes) -> dict[str, np.ndarray]:
    """The tensors of a file: a state dict, or a checkpoint that has one under some name.

    Raises:
        Exception: of any kind, for a file that is damaged or would run code.
    """
    loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    tensors = _tensors(loaded)
    if not tensors and isinstance(loaded, Mapping):
        inside = [_tensors(each) for each in loaded.values()]
        tensors = max(inside, key=len, default={})
    if sum(each.numel() for each in tensors.values()) > MAX_NUMBERS:  # a view can be larger than its file
        raise ValueError("too many numbers")
    return {name: each.detach().float().numpy() for name, each in tensors.items() if each.is_floating_point()}


def _tensors(value: Any) -> dict[str, Tensor]:
    """The dense tensors among the values of a mapping, by name; empty for anything else."""
    if not isinstance(value, Mapping):
        return {}
    return {
        str(name): each for name, each in value.items() if isinstance(each, Tensor) and each.layout is torch.strided
    }
