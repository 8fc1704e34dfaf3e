"""What a stranger could send, from a seed: words that are markup, numbers that are none, damaged files."""

from __future__ import annotations

import json
import random
from typing import Any

FEW, MANY = 100, 2_000
"""Inputs of each kind in `make test` and, marked full, beside those."""

WORDS = [
    "<img src=x onerror=window.ran=1>", "<script>window.ran=1</script>", "</script><b>", "[a](javascript:window.ran=1)",
    "![a](http://127.0.0.1:9/x)", "'\"><svg/onload=window.ran=1>", "{{7*7}}", "%s%n", "$x$", ":material/home:",
    "../../etc", "\x00", "\ud800", "\u202e", "é漢🙂", "NaN", "none", "-0", "1e999", "9" * 400,
    " ", "", "\n\r\t", "~", "~~", "&lt;b&gt;",
]  # fmt: skip
NUMBERS: list[Any] = [0, -1, 1, 2**31, 2**63, -(10**400), 1.5, 1e308, float("nan"), float("inf"), True, None]


def word(rng: random.Random) -> str:
    """One of WORDS, two of them joined, or characters of all kinds."""
    kind = rng.randrange(4)
    if kind < 2:
        return rng.choice(WORDS)
    if kind == 2:
        return rng.choice(WORDS) + rng.choice(WORDS)
    return "".join(chr(rng.choice((rng.randrange(128), rng.randrange(0x3000)))) for _ in range(rng.randrange(1, 30)))


def value(rng: random.Random, depth: int = 2) -> Any:
    """Anything that JSON can say, and a little more."""
    kind = rng.randrange(6 if depth else 3)
    if kind == 0:
        return rng.choice(NUMBERS)
    if kind <= 2:
        return word(rng) if kind == 1 else rng.randrange(-3, 60)
    if kind == 3:
        return {word(rng): value(rng, depth - 1) for _ in range(rng.randrange(4))}
    return [value(rng, depth - 1) for _ in range(rng.randrange(4))]


def changed(rng: random.Random, request: Any) -> Any:
    """A proper request with one to three of its parts replaced, left out or nested deeper."""
    copy = json.loads(json.dumps(request))
    for _ in range(rng.randrange(1, 4)):
        inside = copy
        while True:
            keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
            if not keys:
                break
            key = rng.choice(keys)
            if isinstance(inside[key], dict | list) and inside[key] and rng.random() < 0.7:
                inside = inside[key]
                continue
            if rng.random() < 0.2 and isinstance(inside, dict):
                del inside[key]
            else:
                inside[key] = value(rng)
            break
    return copy


def message(rng: random.Random, request: Any) -> str:
    """What a socket might be sent instead of this request."""
    kind = rng.randrange(10)
    if kind == 0:
        return word(rng)
    if kind == 1:
        return json.dumps(value(rng))
    if kind == 2:
        return json.dumps(request)[: rng.randrange(60)]
    if kind == 3:
        return "[" * rng.randrange(1, 20_000)
    return json.dumps(changed(rng, request))


def damaged(rng: random.Random, content: bytes) -> bytes:
    """A file with one to four places changed: bits, pieces left out, doubled, words put in, the end cut off."""
    raw = bytearray(content)
    for _ in range(rng.randrange(1, 5)):
        if not raw:
            break
        at, length, kind = rng.randrange(len(raw)), rng.randrange(1, 40), rng.randrange(6)
        if kind == 0:
            raw[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del raw[at : at + length]
        elif kind == 2:
            raw[at:at] = raw[at : at + length]
        elif kind == 3:
            raw[at:at] = word(rng).encode("utf-8", "surrogatepass")
        elif kind == 4:
            other = rng.randrange(len(raw))
            raw[at : at + length] = raw[other : other + length]
        elif rng.random() < 0.3:
            del raw[at:]
    return bytes(raw)


def damaged_text(rng: random.Random, text: str) -> str:
    """A text file with something changed that is still a text."""
    return damaged(rng, text.encode()).decode("utf-8", "replace")
