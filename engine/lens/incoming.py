"""The gradient that crosses from a step to the one before it, or from one pass of a network to the pass before."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.layers.cell_trace import GradCarry
from engine.lens.forward_trace import ForwardPass


@dataclass(frozen=True, eq=False)
class IncomingGradient:
    """The gradient that one step passes to the step before it: (R, H) for h, and for c if there is one.

    With a projection (`proj_size`) h has fewer units than c.
    """

    grad_carry: GradCarry
    exponent: Tensor  # (R,) int32, the same for all parts of the state

    def with_rows_of(self, other: IncomingGradient, here: Tensor) -> IncomingGradient:
        """Take the rows of `other` where `here`, (R,) bool, is true."""
        pairs = zip(other.grad_carry, self.grad_carry, strict=True)
        grad_carry = tuple(torch.where(here[:, None], new, old) for new, old in pairs)
        return IncomingGradient(grad_carry, torch.where(here, other.exponent, self.exponent))

    def of_seeds(self, some: slice, sequences: int) -> IncomingGradient:
        """Slice the seeds; a seed has this many sequences, which are rows side by side."""
        rows = slice(some.start * sequences, some.stop * sequences)
        return IncomingGradient(tuple(part[rows] for part in self.grad_carry), self.exponent[rows])

    def with_empty_rows(self, times: int) -> IncomingGradient:
        """Append so many times as many rows, by which nothing comes."""

        def longer(values: Tensor) -> Tensor:
            return torch.cat([values, *[torch.zeros_like(values)] * times])

        return IncomingGradient(tuple(map(longer, self.grad_carry)), longer(self.exponent))


IncomingRows = list[list[IncomingGradient | None]]
"""Indexed [layer][direction]; None where nothing arrives from later steps."""


def nothing_incoming(one: ForwardPass) -> IncomingRows:
    """Nothing arrives from beyond the pass."""
    return [[None for _ in row] for row in one.cell_traces]
