"""Reading files of weights: safetensors, and state dicts of PyTorch. Nothing in them is run.

In a process of its own where the file is a visitor's (`engine.reading`). Torch is loaded for PyTorch's own files alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import safetensors.numpy

from engine.weights.file import SUFFIXES, WeightsError, WeightsFile

MAX_FILE_BYTES = 64 * 2**20
MAX_TENSORS = 1000
NO_MODULE = (
    "has no recurrent layer that can be used: names such as weight_ih_l0 and weight_hh_l0, as nn.RNN, nn.GRU and "
    "nn.LSTM have them, with shapes that fit each other"
)


def read(
    source: Path | IO[bytes], kind: str | None = None, *, on_progress: Callable[..., None] | None = None
) -> WeightsFile:
    """Read a file of weights.

    Args:
        kind, on_progress: so that a reading process can call it; they change nothing.

    Raises:
        WeightsError: for a file that has none. OSError: if a path cannot be read.
    """
    name = Path(source.name).name
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise WeightsError(f"{name} is no file of weights by its name: they end with {' or '.join(SUFFIXES)}.")
    content = source.read_bytes() if isinstance(source, Path) else source.read()
    if len(content) > MAX_FILE_BYTES:
        size, most = len(content) / 2**20, MAX_FILE_BYTES // 2**20
        raise WeightsError(f"{name} has {size:,.0f} MB, and a file of weights may have {most}.")
    tensors = _safetensors(name, content) if suffix == ".safetensors" else _state_dict(name, content)
    found = WeightsFile(name, tensors)
    if not found.modules:
        raise WeightsError(f"{name} {NO_MODULE}.")
    for each, values in tensors.items():
        if not np.isfinite(values).all():
            raise WeightsError(f"{name}: {each} has numbers that are not finite, so no run can start from it.")
    return found


def _safetensors(name: str, content: bytes) -> dict[str, np.ndarray]:
    """The tensors of a safetensors file."""
    try:
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        if len(header) > MAX_TENSORS:
            raise WeightsError(f"{name} has {len(header):,} tensors, and a file of weights may have {MAX_TENSORS:,}.")
        return _as_float32(safetensors.numpy.load(content))
    except WeightsError:
        raise
    except Exception as error:  # a damaged file can cause any error
        raise WeightsError(f"{name} is no safetensors file, or is damaged.") from error


def _state_dict(name: str, content: bytes) -> dict[str, np.ndarray]:
    """The tensors of a file that `torch.save` has written."""
    from engine.weights.state_dict import load  # torch is loaded only for its own files

    try:
        tensors = load(content)
    except Exception as error:  # a damaged file can cause any error, and one that would run code is refused
        raise WeightsError(
            f"{name} cannot be opened without running code from it, or is damaged. What opens is a state dict: "
            f'torch.save(model.state_dict(), "{name}").'
        ) from error
    if len(tensors) > MAX_TENSORS:
        raise WeightsError(f"{name} has {len(tensors):,} tensors, and a file of weights may have {MAX_TENSORS:,}.")
    return _as_float32(tensors)


def _as_float32(tensors: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Those that are numbers with a fraction; a network of ours has no others."""
    floats = {name: np.asarray(each) for name, each in tensors.items() if np.issubdtype(each.dtype, np.floating)}
    return {str(name): np.ascontiguousarray(each, np.float32) for name, each in floats.items()}
