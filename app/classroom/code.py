"""The code of a class: short, to be read aloud and typed on a phone."""

from __future__ import annotations

import secrets
from collections.abc import Collection

LETTERS = "AFHKMRWXY3479"
"""No two of these look alike (so neither O nor 0, I nor 1, S nor 5), and none rhymes with B, C, D, E, G, P or T."""
LENGTH = 5


def new_code(taken: Collection[str]) -> str:
    """A code that no other class has."""
    while (code := "".join(secrets.choice(LETTERS) for _ in range(LENGTH))) in taken:
        pass
    return code


def read_code(raw: str) -> str:
    """The code that somebody has typed, in small letters or with spaces and hyphens, too; "" if it is none."""
    typed = "".join(letter for letter in raw[:100].upper() if letter not in " -\t")
    return typed if len(typed) == LENGTH and set(typed) <= set(LETTERS) else ""
