"""The linear recurrence h_t = a_t * h_{t-1} + b_t, forward and backward: T steps one after the other, and a scan.

Beside them autograd through plain steps, the obvious alternative. The rule of `linear_recurrence` comes from these
numbers. If the three do not give the same, the benchmark ends with an error.
"""

from __future__ import annotations

import statistics

import torch
from torch import Tensor

from benchmarks.measuring import Settings, head, in_turns, ratios, row
from engine.cells.parallel_time import dependent_steps, scan_pays
from engine.layers.linear_scan import loop, scan

TOLERANCE = 1e-4  # of the largest number: all are float32, and multiply in another order
SIZES = ((1, 16), (16, 64), (64, 128))
MAX_NUMBERS = 2**23  # T * B * H: 32 MiB for each of the tensors, of which a turn holds a dozen


def tables(settings: Settings) -> None:
    """Print the table."""
    head(
        "A linear recurrence, forward and backward: T steps one after the other, and a parallel scan (float32)",
        "B", "H", "T", "autograd, ms", "loop, ms", "scan, ms", "loop / scan", "lowest", "highest",
        "passes, loop", "passes, scan", "taken",
    )  # fmt: skip
    for size in SIZES:
        for steps in (16, 64, 256, 1024, 4096):
            if steps * size[0] * size[1] <= MAX_NUMBERS:
                _measure(settings, steps, size)


def _measure(settings: Settings, steps: int, size: tuple[int, int]) -> None:
    draw = torch.Generator().manual_seed(0)
    a, b, weights = (torch.randn(steps, *size, generator=draw) for _ in range(3))
    a, b, weights, first = (each.to(settings.device) for each in (a.sigmoid(), b, weights, b[0]))
    leaves = [each.clone().requires_grad_() for each in (a, b, first)]

    def gradients(way) -> list[Tensor]:
        states = way(*leaves)
        return [states, *torch.autograd.grad(states, leaves, weights)]

    sides = [lambda way=way: gradients(way) for way in (plain, loop, scan)]
    expected = sides[0]()
    for side in sides[1:]:
        for one, other in zip(side(), expected, strict=True):
            assert (one - other).abs().max() <= TOLERANCE * other.abs().max(), f"T = {steps}: two answers"
    del expected
    theirs, looped, scanned = in_turns(sides, settings.device, 0.5 if settings.quick else 2)
    passes = dependent_steps(steps)
    times = (f"{ratio:.2f}" for ratio in ratios(looped, scanned))
    row(*size, steps, *(f"{1e3 * statistics.median(turns):.2f}" for turns in (theirs, looped, scanned)), *times,
        passes.loop, passes.scan, "scan" if scan_pays(steps, size[0] * size[1]) else "loop")  # fmt: skip


def plain(a: Tensor, b: Tensor, first: Tensor) -> Tensor:
    """The same with autograd through every step."""
    states, h = [], first
    for a_t, b_t in zip(a.unbind(), b.unbind(), strict=True):
        h = torch.addcmul(b_t, a_t, h)
        states.append(h)
    return torch.stack(states)
