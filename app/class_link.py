"""The class that this tab attends: the code that its links carry, so that a reload finds the class again."""

from __future__ import annotations

from app import tab

NAME = "class"
"""The name of the code in a link."""
_CODE = "_class_code"


def attend(code: str) -> None:
    """From now on this tab's links carry the code of this class; "" for no class."""
    tab.store(_CODE, code)


def link() -> dict[str, str]:
    """What this tab's own address says of the class; a link that is shared leaves it out."""
    code = tab.load(_CODE)
    return {NAME: code} if code else {}
