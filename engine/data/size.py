"""How much memory data take, for whoever keeps them within bounds. Pure."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

import numpy as np

from engine.data.dataset import Dataset

ARRAY = 112  # bytes of an array besides its numbers


def size_of(dataset: Dataset) -> int:
    """Bytes that a dataset takes in memory, about: its numbers and symbols, its summary and its problems."""
    return _size(dataset)


def _size(value: Any) -> int:
    if isinstance(value, np.ndarray):
        return value.nbytes + ARRAY
    size = sys.getsizeof(value)
    if dataclasses.is_dataclass(value):
        return size + sum(_size(getattr(value, field.name)) for field in dataclasses.fields(value))
    if isinstance(value, dict):
        return size + sum(_size(key) + _size(each) for key, each in value.items())
    return size + sum(map(_size, value)) if isinstance(value, tuple | list) else size
