"""Encode a frame as one binary message: a JSON header, then the arrays that it lists, 4-byte aligned.

Layout: uint32 header length (little endian), header, blocks. Header: {"a": [[path, type, shape, offset, scale?], ...],
"p": {path: value}, ...}; types f4 (float32) and q1 (int8, 127 stands for the scale).
"""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np

from app.figures import Patch, Quantised


def pack(patches: dict[str, Patch], **header: Any) -> bytes:
    """Encode patches by figure name, and further JSON values for the header, as one message."""
    arrays: list[list[Any]] = []
    values: dict[str, Any] = {}
    blocks: list[bytes] = []
    offset = 0
    for name, patch in patches.items():
        for path, value in patch.items():
            if isinstance(value, (np.ndarray, Quantised)):
                entry, block = _block(f"{name}.{path}", value, offset)
                arrays.append(entry)
                blocks.append(block)
                offset += len(block)
            else:
                values[f"{name}.{path}"] = value
    text = json.dumps({**header, "a": arrays, "p": values}, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-(len(text) + 4) % 4)
    return struct.pack("<I", len(text)) + text + b"".join(blocks)


def _block(path: str, value: np.ndarray | Quantised, offset: int) -> tuple[list[Any], bytes]:
    """The header entry and the padded bytes of one array."""
    if isinstance(value, Quantised):
        raw = np.ascontiguousarray(value.values)
        entry = [path, "q1", list(raw.shape), offset, value.scale]
    else:
        raw = np.ascontiguousarray(value, np.float32)
        entry = [path, "f4", list(raw.shape), offset]
    block = raw.tobytes()
    return entry, block + b"\0" * (-len(block) % 4)
