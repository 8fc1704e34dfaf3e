"""What a file of weights holds, and what is said of one that holds none. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.data import DataError
from engine.weights.module import RecurrentModule, modules_of

SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")


class WeightsError(DataError):
    """A file that has no weights of a recurrent network, or weights that do not fit; the message says why."""


@dataclass(frozen=True, eq=False)
class WeightsFile:
    """The weights in a file.

    Args:
        name: of the file.
        tensors: {name: float32}, in the file's order.
    """

    name: str
    tensors: Mapping[str, np.ndarray]

    @property
    def modules(self) -> tuple[RecurrentModule, ...]:
        """The recurrent modules whose weights are complete, in the file's order."""
        return modules_of(self.tensors)
