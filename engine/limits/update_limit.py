"""How large one optimiser step may be."""

from __future__ import annotations

from dataclasses import dataclass

from engine.limits.limits import LIMITS


@dataclass(frozen=True)
class UpdateLimit:
    """How large one optimiser step may be, as `step_cost` estimates it: about a second on such a device."""

    multiply_adds: float
    bytes: float
    where: str


ONE_CORE = UpdateLimit(LIMITS.multiply_adds, LIMITS.network_megabytes * 2**20, "one CPU core")
GPU = UpdateLimit(50 * ONE_CORE.multiply_adds, 4 * ONE_CORE.bytes, "a GPU")
