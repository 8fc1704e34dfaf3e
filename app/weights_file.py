"""Reading the safetensors file of a run's weights, as `engine.training.Trainer.weights` writes it. No torch."""

from __future__ import annotations

import json

import numpy as np
import safetensors.numpy


def step_of(weights: bytes) -> int | None:
    """The step of the weights, from the file's JSON header (after 8 bytes with its length); None if it has none."""
    length = int.from_bytes(weights[:8], "little")
    step = json.loads(weights[8 : 8 + length]).get("__metadata__", {}).get("step")
    return None if step is None else int(step)


def matrix(weights: bytes, name: str) -> np.ndarray | None:
    """A parameter as a table, (rows, columns), a vector as one column; None if there is none of this name."""
    values = safetensors.numpy.load(weights).get(name)
    return None if values is None else values.reshape(len(values), -1)
