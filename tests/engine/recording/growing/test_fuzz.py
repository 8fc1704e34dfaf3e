"""Whatever stands in a file, reading it ends with looks or a sentence."""

from __future__ import annotations

import random
import struct
import zlib
from pathlib import Path

import pytest

from engine.recording import RecordingError
from engine.recording.growing import Follower, GrowingFile, read_looks
from engine.recording.growing.chunks import BEGINS, SIZES
from tests.engine.recording.growing.conftest import module_look, recorded

WORDS = [b"9", b"-1", b"null", b"[]", b"0", b"true", b'"', b"1e99", b"NaN"]


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("looks") / "run.looks"
    with GrowingFile(path) as file:
        for step in range(2):
            file.append(recorded(step, module_look()))
    return path.read_bytes()


def mended(content: bytes) -> bytes:
    """With the check sum of the first chunk made right again, so that what is damaged comes further in."""
    mark, _, of_text, of_arrays = SIZES.unpack_from(content, BEGINS)
    start = BEGINS + SIZES.size
    if of_text + of_arrays > len(content):
        return content
    check = zlib.crc32(content[start : start + of_text + of_arrays])
    return content[:BEGINS] + SIZES.pack(mark, check, of_text, of_arrays) + content[start:]


def damaged(content: bytes, rng: random.Random) -> bytes:
    """A file with something changed: a byte, a piece left out or doubled, a word of its text, a length."""
    raw, at = bytearray(content), rng.randrange(len(content))
    _, _, of_text, _ = SIZES.unpack_from(content, BEGINS)
    text = range(BEGINS + SIZES.size, BEGINS + SIZES.size + of_text)
    kind = rng.randrange(6)
    if kind == 0:
        raw[at] ^= 1 << rng.randrange(8)
    elif kind == 1:
        del raw[at : at + rng.randrange(1, 200)]
    elif kind == 2:
        raw[at:at] = raw[at : at + rng.randrange(1, 200)]
    elif kind == 3:
        struct.pack_into("<Q", raw, BEGINS + rng.randrange(4, 13), rng.randrange(2**64))
    else:
        place = rng.choice(text)
        raw[place : place + rng.randrange(1, 3)] = rng.choice(WORDS)
        _, check, length, of_arrays = SIZES.unpack_from(raw, BEGINS)
        SIZES.pack_into(raw, BEGINS, b"LOOK", check, length + len(raw) - len(content), of_arrays)
    return mended(bytes(raw)) if rng.random() < 0.8 else bytes(raw)


def check(content: bytes, seeds: range, folder: Path) -> None:
    refused = 0
    for seed in seeds:
        raw = damaged(content, random.Random(seed))
        for read in (read_looks, lambda raw: (folder / "x").write_bytes(raw) and Follower(folder / "x").news()):
            try:
                read(raw)
            except RecordingError as error:
                refused += 1
                assert str(error)
    assert refused > len(seeds) / 2


def test_a_hundred_damaged_files(content: bytes, tmp_path: Path) -> None:
    check(content, range(100), tmp_path)


@pytest.mark.full
def test_two_thousand_damaged_files(content: bytes, tmp_path: Path) -> None:
    check(content, range(100, 2100), tmp_path)
