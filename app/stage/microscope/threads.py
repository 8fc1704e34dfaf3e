"""The terms of a gate's sum as threads that enter its box from below: how much room they need. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from app.stage.microscope.drawing import BOX, THREAD_VALVE
from app.stage.microscope.step_graph import Operation, Way

GAP = 10
SIZES = {"product": (46, 24), "vector": (30, 24), "factor": (36, 24), "function": (46, 24), "norm": (28, 20)}
"""Across and along the thread."""
BARE = 14  # a thread at its thickest, with air


@dataclass(frozen=True)
class Threads:
    """The threads of one gate, from left to right."""

    ways: list[Way]

    @staticmethod
    def drawn(way: Way) -> list[Operation]:
        """What stands on a thread. Its product does so only where something else does: everywhere else it is the
        thread's colour that says so."""
        others = way.has("valve", "vector", "factor", "function")
        return [each for each in way.operations if each.kind != "product" or others]

    @staticmethod
    def across(operation: Operation) -> float:
        """Its width."""
        return THREAD_VALVE[0] if operation.kind == "valve" else SIZES[operation.kind][0]

    @staticmethod
    def length(operation: Operation) -> float:
        """Its length along the thread."""
        return THREAD_VALVE[1] if operation.kind == "valve" else SIZES[operation.kind][1]

    @staticmethod
    def outlet_length(operation: Operation) -> float:
        """The same on the way to h, where a function has a number."""
        return 42 if operation.kind == "function" else 24

    @property
    def height(self) -> float:
        """Room below the box."""
        stacks = [self.drawn(way) for way in self.ways]
        return max((sum(map(self.length, stack)) + GAP * (len(stack) + 1) for stack in stacks if stack), default=0)

    @cached_property
    def widths(self) -> list[float]:
        """Of each thread with all that stands on it."""
        return [max([BARE, *map(self.across, self.drawn(way))]) for way in self.ways]

    @cached_property
    def offsets(self) -> list[float]:
        """Where each thread runs, from the middle of the box."""
        places, x = [], -self._total / 2
        for width in self.widths:
            places.append(x + width / 2)
            x += width + 4
        return places

    @property
    def box_width(self) -> float:
        """The box is as wide as its threads."""
        return max(BOX[0], self._total + 4)

    @property
    def _total(self) -> float:
        return sum(self.widths) + 4 * (len(self.widths) - 1)
