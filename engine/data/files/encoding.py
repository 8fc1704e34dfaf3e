"""Bytes as text."""

from __future__ import annotations

import re

from engine.data.problems import DataError, Notes

MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig", "UTF-8"),
    (b"\xff\xfe\0\0", "utf-32", "UTF-32"),
    (b"\0\0\xfe\xff", "utf-32", "UTF-32"),
    (b"\xff\xfe", "utf-16", "UTF-16"),
    (b"\xfe\xff", "utf-16", "UTF-16"),
)
NOT_LATIN = ["cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"]
"""Left free, charset-normalizer takes a few lines of Latin-1 for an East European code page, and Greek for Korean."""
SAMPLE = 200_000
EXPECTED = "Expected CSV, TSV, Excel, Parquet, JSON, .npz or plain text."
CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\f\r\x1b")
LETTERS = bytes(range(65, 91)) + bytes(range(97, 123))
HIGH = bytes(range(0x80, 0x100))


def decode(data: bytes, notes: Notes, encoding: str | None = None) -> tuple[str, str]:
    """The text of a file, lines ended by \\n alone, and the name of its encoding.

    Args:
        encoding: what a person has chosen; None to find it.

    Raises:
        DataError: this is no text, or not in the chosen encoding, or nothing but separators.
    """
    if encoding:
        try:
            text, found = data.decode(encoding), encoding
        except (ValueError, LookupError) as error:  # also codecs that are no encodings of text
            raise DataError(f"The file cannot be read as {encoding}: {error}.") from None
    else:
        text, found = _with_mark(data, notes) or _without_mark(data, notes)
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    if not text.strip("\ufeff \n\t,;|"):
        raise DataError("The file is empty: it holds nothing but separators.", 1)
    return text, found


def _with_mark(data: bytes, notes: Notes) -> tuple[str, str] | None:
    for mark, codec, name in MARKS:
        if data.startswith(mark):
            try:
                text = data.decode(codec)
            except UnicodeDecodeError as error:
                line = data.count(b"\n", 0, len(mark) + error.start) + 1
                sentence = f"The file begins as {name} text but is broken in line {line}; save it again as UTF-8."
                raise DataError(sentence, line) from None
            notes.say(f"The file is {name} with a byte order mark; the mark is left out.", 1, harmless=True)
            return text, codec
    return None


def _without_mark(data: bytes, notes: Notes) -> tuple[str, str]:
    wide = _utf16_without_mark(data)
    if wide is not None:
        notes.say(f"The file is {wide[1].upper()} without a byte order mark.", 1, harmless=True)
        return wide
    sample = data[:SAMPLE]
    zero = data.find(b"\0")
    if zero >= 0:
        line = data.count(b"\n", 0, zero) + 1
        raise DataError(f"This is not a text file: it has zero bytes, the first in line {line}. {EXPECTED}", line)
    if _count(sample, CONTROLS) > len(sample) / 100:
        raise DataError(f"This is not a text file: it is full of control characters. {EXPECTED}", 1)
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    codec = _code_page(sample)
    try:
        text = data.decode(codec)
    except UnicodeDecodeError:
        codec = "latin-1"  # has a letter for every byte
        text = data.decode(codec)
    found = f"The file is not UTF-8 (first seen in line {line})"
    notes.say(f"{found}; it is read as {codec}. Look whether accents are right.", line)
    return text, codec


def _utf16_without_mark(data: bytes) -> tuple[str, str] | None:
    """Text in which every other byte is zero, as most are in UTF-16 of Latin letters and digits."""
    head = data[:4000]
    if head.count(0) <= len(head) / 5:
        return None
    even, odd = head[::2].count(0), head[1::2].count(0)
    codec = "utf-16-le" if odd > 3 * even else "utf-16-be" if even > 3 * odd else None
    if codec is None:
        return None
    try:
        return data.decode(codec), codec
    except UnicodeDecodeError:
        return None


def _count(data: bytes, which: bytes) -> int:
    return len(data) - len(data.translate(None, which))


def _code_page(sample: bytes) -> str:
    """The encoding of text that is not UTF-8. Few letters of ASCII mean that the script is not Latin."""
    high = _count(sample, HIGH)
    if high <= 0.3 * (high + _count(sample, LETTERS)):
        return "cp1252"
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=NOT_LATIN).best()
    return best.encoding if best else "cp1252"


def is_markup(text: str) -> bool:
    """True for a web page or XML."""
    return re.match(r"\s*<(!doctype|html|head|body|table|meta|\?xml)", text[:500], re.I) is not None
