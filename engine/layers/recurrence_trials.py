"""A linear recurrence on made-up numbers, forward and backward, as a loop and as a scan, to be timed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial

import torch
from torch import Tensor

from engine.layers.linear_scan import loop, scan

Shape = tuple[int, int, int]
"""(T, B, H)."""
Trial = Callable[[], tuple[Tensor, ...]]
"""Computes the states of all steps, then the gradients of a, b and the first state, and returns the gradients."""


def trials(shapes: Sequence[Shape]) -> list[Callable[[], Trial]]:
    """For each shape two functions that prepare a trial: of the loop, then of the scan.

    Shapes that differ in T alone share their numbers, and nothing is drawn before it is needed.
    """
    longest: dict[tuple[int, int], int] = {}
    for steps, *row in shapes:
        batch, hidden = row
        longest[batch, hidden] = max(steps, longest.get((batch, hidden), 0))

    @cache
    def numbers(batch: int, hidden: int) -> tuple[Tensor, Tensor, Tensor]:
        """The factors a, between 0 and 1 as a gate's, what is added, and dL/dh of a loss at every step."""
        draw = torch.Generator().manual_seed(0)
        a, b, direct = (torch.randn(longest[batch, hidden], batch, hidden, generator=draw) for _ in range(3))
        return a.sigmoid_(), b, direct

    def prepare(way: Callable[..., Tensor], steps: int, batch: int, hidden: int) -> Trial:
        a, b, direct = (each[:steps] for each in numbers(batch, hidden))
        leaves = [each.detach().requires_grad_() for each in (a, b, torch.zeros(batch, hidden))]
        return lambda: torch.autograd.grad(way(*leaves), leaves, direct)

    return [partial(prepare, way, *shape) for shape in shapes for way in (loop, scan)]
