"""How many steps of a linear recurrence wait for one another, as a loop and as a scan, and which way is faster.

No torch. `engine.layers.linear_scan` computes both ways.
"""

from __future__ import annotations

from typing import NamedTuple

SCAN_FROM_STEPS, SCAN_TO_WIDTH = 48, 2048
"""Measured on one core of a CPU (BENCHMARKS.md). In a shorter sequence the few passes of the scan cost more than the
steps; wider rows, of B * H numbers, no longer fit into its cache, and the scan reads them more often than the loop."""


class DependentSteps(NamedTuple):
    """How many multiply-adds wait for one another, however many processors there are."""

    loop: int
    scan: int


def dependent_steps(steps: int) -> DependentSteps:
    """Count the dependent passes of T steps, forward; there are as many backward, the last one to the initial state.

    The scan begins with the step from the initial state, joins pairs floor(log2 T) times and fills in the steps between
    about as often: about 2 log2 T together. Products of factors need no pass of their own, as they wait for one another
    only.
    """
    joins, fills = steps.bit_length() - 1, (steps // 3).bit_length()
    return DependentSteps(loop=steps, scan=1 + joins + fills)


def scan_pays(steps: int, width: int) -> bool:
    """True if the scan is the faster way for so many steps T of rows of so many numbers, B * H."""
    return steps >= SCAN_FROM_STEPS and width <= SCAN_TO_WIDTH
