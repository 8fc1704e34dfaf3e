"""Data files of some tasks, embedded in a script as text, and the code that unpacks them."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable

import numpy as np

from engine.tasks import images, next_character, series

WIDTH = 120  # characters in a line
PIECE = 2**18  # bytes that are compressed at once

UNPACKED = '''def unpacked(lines: str) -> bytes:
    """The bytes of a file embedded as text: compressed with zlib, encoded in base 85."""
    return zlib.decompress(base64.b85decode("".join(lines.split())))'''
"""The definition of `unpacked` in a script."""


def packed(name: str, content: bytes) -> str:
    """The statement that assigns packed bytes to a constant."""
    signs = base64.b85encode(zlib.compress(content, 9)).decode()
    lines = "\n".join(signs[at : at + WIDTH] for at in range(0, len(signs), WIDTH))
    return f'{name} = """\n{lines}\n"""'


def fits(content: bytes, most: int) -> bool:
    """Whether packed bytes are at most so many characters; what is far too large is not compressed to its end."""
    packer, size = zlib.compressobj(9), 0
    for at in range(0, len(content), PIECE):
        size += len(packer.compress(content[at : at + PIECE]))
        if _characters(size) > most:
            return False
    return _characters(size + len(packer.flush())) <= most


def _characters(size: int) -> int:
    """Of so many bytes in base 85, line ends included: at least, since the last group may be a part."""
    signs = 5 * size // 4
    return signs + signs // WIDTH


def _all_images() -> bytes:
    return np.loadtxt(images.DIGITS_FILE, np.uint8, delimiter=",").tobytes()


def _all_years() -> bytes:
    return np.loadtxt(series.SUNSPOTS_FILE, delimiter=",", skiprows=1, usecols=1).tobytes()


CONSTANTS: dict[tuple[str, str], Callable[[], str]] = {
    (next_character.__name__, "ALICE"): lambda: packed("ALICE", next_character.ALICE.read_bytes()),
    (images.__name__, "DIGITS_FILE"): lambda: packed("DIGITS_FILE", _all_images()),
    (series.__name__, "SUNSPOTS_FILE"): lambda: packed("SUNSPOTS_FILE", _all_years()),
    (series.__name__, "PRICES"): lambda: packed("PRICES", series.weekly_log_prices().tobytes()),
}
"""(module, name) of constants that are packed text in a script instead of the path of a file."""

INSTEAD = {
    'ALICE.read_text(encoding="utf-8")': "unpacked(ALICE).decode()",
    'np.loadtxt(DIGITS_FILE, np.int64, delimiter=",")': (
        "np.frombuffer(unpacked(DIGITS_FILE), np.uint8).reshape(-1, SIDE * SIDE + 1).astype(np.int64)"
    ),
    'np.loadtxt(SUNSPOTS_FILE, delimiter=",", skiprows=1, usecols=1)': "np.frombuffer(unpacked(SUNSPOTS_FILE))",
}
"""Expression that reads such a file: in the engine, and in a script."""

FUNCTIONS = {
    (series.__name__, "weekly_log_prices"): f'''@cache
def weekly_log_prices() -> np.ndarray:
    """(6 companies, {series.WEEKS} weeks) float32, natural log of the price relative to the first week.

    Google, Apple, Amazon, Facebook, Netflix and Microsoft, January 2018 to December 2019.
    """
    return np.frombuffer(unpacked(PRICES), np.float32).reshape(-1, WEEKS)'''
}
"""Functions that read a file of another package; in a script the file is embedded."""


def unpacking(statement: str) -> str:
    """The statement with reads of files replaced by reads of packed text."""
    for ours, theirs in INSTEAD.items():
        statement = statement.replace(ours, theirs)
    return statement
