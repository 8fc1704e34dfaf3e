"""The class that this tab attends, and as whom: what its address says, so that a reload finds the same student."""

from __future__ import annotations

from app import tab

NAME = "class"
"""The name in a link; the value is the code of the class and the student's number: "K7FRM~3"."""
_PLACE = "_class_place"


def attend(code: str, number: int) -> None:
    """From now on this tab's address names this student of this class."""
    tab.store(_PLACE, f"{code}~{number}")


def leave() -> None:
    """It names none any more."""
    tab.store(_PLACE, "")


def link() -> dict[str, str]:
    """What this tab's own address says of the class; a link that is shared leaves it out."""
    place = tab.load(_PLACE)
    return {NAME: place} if place else {}


def read(link: dict[str, str]) -> tuple[str, int]:
    """The code of the class and the student's number that an address names; "" and 0 for none."""
    code, _, number = link.get(NAME, "").partition("~")
    return code, int(number) if number.isascii() and number.isdecimal() and len(number) < 6 else 0
