"""The base class of values whose arrays are read-only. No torch."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np


def freeze(value: Any) -> None:
    """Make arrays read-only: the value itself, or all arrays in its fields and dictionaries."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif isinstance(value, dict):
        for item in value.values():
            freeze(item)
    elif isinstance(value, FrozenArrays):
        for field in fields(value):
            freeze(getattr(value, field.name))


@dataclass(frozen=True, eq=False)
class FrozenArrays:
    """A value whose arrays are read-only, also after unpickling in another process."""

    def __post_init__(self) -> None:
        freeze(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        freeze(self)
