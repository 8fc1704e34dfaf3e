"""One array as the bytes of a .npy file, and back: read only if its header agrees with the bytes that are there."""

from __future__ import annotations

import io
import math

import numpy as np


class ArrayError(ValueError):
    """Bytes that are no array as this program writes it; the message says what is wrong."""


def to_npy(array: np.ndarray) -> bytes:
    """The bytes of a .npy file, without pickled objects."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array).reshape(array.shape), allow_pickle=False)
    return buffer.getvalue()


def from_npy(raw: bytes, name: str) -> np.ndarray:
    """An array of numbers, read-only, in the very bytes that were given.

    Raises:
        ArrayError: if they hold no array, or fewer or other numbers than they say; `name` is in the message.
    """
    stream = io.BytesIO(raw)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ArrayError(f"{name} is no array as this playground writes it.")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype.hasobject or fortran or math.prod(shape) * dtype.itemsize != len(raw) - stream.tell():
        raise ArrayError(f"{name} is damaged: it holds fewer or other numbers than it says.")
    return np.ndarray(shape, dtype, raw, stream.tell())
