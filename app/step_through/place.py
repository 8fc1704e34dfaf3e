"""What somebody looks at while a sequence is stepped through, as their browser says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Place:
    """The place among the 2n places of a chain of n steps, and the followed unit and weight.

    Args:
        at: 0 ... n - 1 on the way forward, n ... 2n - 1 on the way back, from the last step to the first.
        unit: the followed unit. source: the unit of the step before that its weight comes from. gate: the block.
    """

    at: int = 0
    unit: int = 0
    source: int = 0
    gate: int = 0

    def step(self, steps: int) -> int:
        """Return the step of the chain, 0 ... n - 1."""
        return self.at if self.at < steps else 2 * steps - 1 - self.at

    def back(self, steps: int) -> bool:
        """Return True on the way back."""
        return self.at >= steps

    def within(self, steps: int, units: int, gates: int) -> Place:
        """Return the nearest place that such a chain has: a browser may show another network still."""
        most = (2 * steps, units, units, max(gates, 1))
        return Place(*(min(number, size - 1) for number, size in zip(self._numbers, most, strict=True)))

    @property
    def _numbers(self) -> tuple[int, int, int, int]:
        return self.at, self.unit, self.source, self.gate

    @classmethod
    def of(cls, request: Any) -> Place | None:
        """Read a browser's place, four whole numbers from 0 on; None if it is not valid."""
        if not isinstance(request, list) or len(request) != 4:
            return None
        whole = all(type(number) is int and number >= 0 for number in request)
        return cls(*request) if whole else None


@dataclass(frozen=True)
class Looked:
    """What a browser in this mode asks for.

    Args:
        place: where it is.
        verify: which number to verify, an index of `ENTRIES` of `verification.py`, and the place whose number it is.
    """

    place: Place
    verify: tuple[int, Place] | None = None

    @classmethod
    def of(cls, request: Any) -> Looked | None:
        """Read a browser's request, {"place": [4], "verify": [which, [4]] or None}; None if it is not valid."""
        if not isinstance(request, dict) or (place := Place.of(request.get("place"))) is None:
            return None
        verify = request.get("verify")
        if verify is None:
            return cls(place)
        if not isinstance(verify, list) or len(verify) != 2 or type(verify[0]) is not int or verify[0] < 0:
            return None
        of = Place.of(verify[1])
        return None if of is None else cls(place, (verify[0], of))
