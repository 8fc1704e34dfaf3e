"""The chunks of a growing file: each says how long it is and how its content can be checked. No torch.

A chunk is `MARK`, then three little-endian numbers (CRC-32 of all that follows them, uint32; bytes of text, uint32;
bytes of arrays, uint64), then the text, which is JSON, and the arrays, which are .npy files one after the other. The
text's "arrays" lists their names and bytes.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from engine.recording.arrays import from_npy, to_npy
from engine.recording.error import RecordingError

MAGIC = b"RNN looks, format 1\n"
ID_BYTES = 16
BEGINS = len(MAGIC) + ID_BYTES
MARK = b"LOOK"
SIZES = struct.Struct("<4sIIQ")
MAX_CHUNK = 64 * 2**20
"""Bytes of one look: what claims to be longer is damaged, and is refused before anything is read."""
DAMAGED = "This recording of looks is damaged: a part of it is not what it should be."
FOREIGN = "This file is no recording of looks, as `lens.record` writes them."


@dataclass(frozen=True, eq=False)
class Chunk:
    """One chunk's content: JSON values, and arrays by name."""

    text: dict[str, Any]
    arrays: Mapping[str, np.ndarray]


def to_bytes(text: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """One chunk."""
    blocks = {name: to_npy(array) for name, array in arrays.items()}
    listed = [[name, len(block)] for name, block in blocks.items()]
    head = json.dumps({**text, "arrays": listed}, separators=(",", ":"), allow_nan=False).encode()
    body = b"".join(blocks.values())
    return SIZES.pack(MARK, zlib.crc32(body, zlib.crc32(head)), len(head), len(body)) + head + body


def read_beginning(file: BinaryIO) -> bytes | None:
    """The random bytes by which a file differs from one of the same name; None while it is half written.

    Raises:
        RecordingError: if it begins otherwise.
    """
    begins = file.read(BEGINS)
    if not MAGIC.startswith(begins[: len(MAGIC)]):
        raise RecordingError(FOREIGN)
    return begins[len(MAGIC) :] if len(begins) == BEGINS else None


def read_chunk(file: BinaryIO, left: int) -> Chunk | None:
    """The next chunk, of which a file has `left` bytes at most; None if it is not there as a whole yet.

    Raises:
        RecordingError: if it is damaged. Other errors are possible where its text is not what it should be.
    """
    sizes = file.read(min(left, SIZES.size))
    if not MARK.startswith(sizes[: len(MARK)]):
        raise RecordingError(DAMAGED)
    if len(sizes) < SIZES.size:
        return None
    _, check, of_text, of_arrays = SIZES.unpack(sizes)
    if of_text + of_arrays > MAX_CHUNK:
        raise RecordingError(DAMAGED)
    if SIZES.size + of_text + of_arrays > left:
        return None
    content = file.read(of_text + of_arrays)
    if len(content) < of_text + of_arrays:
        return None
    if zlib.crc32(content) != check:
        raise RecordingError(DAMAGED)
    text = json.loads(content[:of_text])
    return Chunk(text, _arrays(text["arrays"], content[of_text:]))


def _arrays(listed: list[list[Any]], content: bytes) -> dict[str, np.ndarray]:
    found, start = {}, 0
    for name, length in listed:
        if not isinstance(name, str) or type(length) is not int or length < 0 or name in found:
            raise RecordingError(DAMAGED)
        found[name] = from_npy(content[start : start + length], name)
        start += length
    if start != len(content):
        raise RecordingError(DAMAGED)
    return found
