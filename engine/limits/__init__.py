"""How much a server gives to those who use it: one set of limits, from one file if there is one."""

from engine.limits.limits import LIMITS, Limits
from engine.limits.number_range import Range

__all__ = ["LIMITS", "Limits", "Range"]
