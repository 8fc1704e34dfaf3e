"""The numbers that a setting or a limit accepts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """The numbers that a setting accepts, both ends included."""

    low: float
    high: float
    whole: bool = False

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} from {self.low:,.15g} to {self.high:,.15g}"

    def holds(self, value: object) -> bool:
        """True for a finite number of the right kind inside the range; a bool is not a number."""
        if isinstance(value, bool) or not isinstance(value, int if self.whole else (int, float)):
            return False
        return self.low <= value <= self.high
