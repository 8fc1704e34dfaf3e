"""The files that some tasks read, packed into the text of a script, and how the script unpacks them."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable

import numpy as np

from engine.tasks import images, next_character, series

WIDTH = 120  # signs in a line

UNPACKED = '''def unpacked(lines: str) -> bytes:
    """The bytes of a file that stands in this script as text: deflated, then written in base 85."""
    return zlib.decompress(base64.b85decode("".join(lines.split())))'''
"""The function of that name in a script."""


def _packed(name: str, content: bytes) -> str:
    """The statement that holds some bytes."""
    signs = base64.b85encode(zlib.compress(content, 9)).decode()
    lines = "\n".join(signs[at : at + WIDTH] for at in range(0, len(signs), WIDTH))
    return f'{name} = """\n{lines}\n"""'


def _all_images() -> bytes:
    return np.loadtxt(images.DIGITS_FILE, np.uint8, delimiter=",").tobytes()


def _all_years() -> bytes:
    return np.loadtxt(series.SUNSPOTS_FILE, delimiter=",", skiprows=1, usecols=1).tobytes()


CONSTANTS: dict[tuple[str, str], Callable[[], str]] = {
    (next_character.__name__, "ALICE"): lambda: _packed("ALICE", next_character.ALICE.read_bytes()),
    (images.__name__, "DIGITS_FILE"): lambda: _packed("DIGITS_FILE", _all_images()),
    (series.__name__, "SUNSPOTS_FILE"): lambda: _packed("SUNSPOTS_FILE", _all_years()),
    (series.__name__, "PRICES"): lambda: _packed("PRICES", series.weekly_log_prices().tobytes()),
}
"""Module and name of the constants that a script holds as packed text, in place of the path to a file."""

INSTEAD = {
    'ALICE.read_text(encoding="utf-8")': "unpacked(ALICE).decode()",
    'np.loadtxt(DIGITS_FILE, np.int64, delimiter=",")': (
        "np.frombuffer(unpacked(DIGITS_FILE), np.uint8).reshape(-1, SIDE * SIDE + 1).astype(np.int64)"
    ),
    'np.loadtxt(SUNSPOTS_FILE, delimiter=",", skiprows=1, usecols=1)': "np.frombuffer(unpacked(SUNSPOTS_FILE))",
}
"""How such a file is read here, and in a script."""

FUNCTIONS = {
    (series.__name__, "weekly_log_prices"): f'''@cache
def weekly_log_prices() -> np.ndarray:
    """(6 companies, {series.WEEKS} weeks) float32, natural log of the price relative to the first week.

    Google, Apple, Amazon, Facebook, Netflix and Microsoft, January 2018 to December 2019.
    """
    return np.frombuffer(unpacked(PRICES), np.float32).reshape(-1, WEEKS)'''
}
"""Functions whose file lies in another package: here they look for it, in a script they hold it."""


def unpacking(statement: str) -> str:
    """A statement that reads packed text where ours reads a file."""
    for ours, theirs in INSTEAD.items():
        statement = statement.replace(ours, theirs)
    return statement
