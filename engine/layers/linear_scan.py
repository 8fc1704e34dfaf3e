"""The linear recurrence h_t = a_t * h_{t-1} + b_t over time, one number at a time: as a loop and as a parallel scan.

Two steps after one another are again one step: (a, b) after (a', b') is (a a', a b' + b). So neighbours can be joined,
all pairs at once, and a sequence of T steps needs about 2 log2 T dependent passes instead of T (G. E. Blelloch, "Prefix
Sums and Their Applications", 1990; for recurrent networks E. Martin and C. Cundy, "Parallelizing Linear Recurrent
Neural Nets Over Sequence Length", 2018). Nothing here takes logarithms: cumulative sums of log a leave the range of
float64 at a = 0.5 and T = 3000, and a may be 0 or negative.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from engine.cells.parallel_time import scan_pays


def linear_recurrence(a: Tensor, b: Tensor, first: Tensor) -> Tensor:
    """Compute h_t = a_t * h_{t-1} + b_t for all t, in the way that is faster for this shape.

    The way depends on the shape alone, so that the same inputs give the same bits in every run. It can be
    differentiated once, as both ways can.

    Args:
        a: (T, B, H), the factors: any numbers, also 0, negative ones and ones beyond 1.
        b: (T, B, H), what is added.
        first: (B, H), the state h_{-1} before the first step.

    Returns:
        (T, B, H), the states h_0 to h_{T-1}.

    Raises:
        ValueError: the shapes do not belong together, or there is no step.
    """
    way = scan if scan_pays(len(a), first.numel()) else loop
    return way(a, b, first)


def loop(a: Tensor, b: Tensor, first: Tensor) -> Tensor:
    """The recurrence of `linear_recurrence` in T dependent steps, forward and backward.

    It keeps a and the states for the backward pass and nothing else, where autograd on every step would keep each
    state twice; and it takes a third to half of that time.
    """
    _check(a, b, first)
    return _Recurrence.apply(a, b, first, False)


def scan(a: Tensor, b: Tensor, first: Tensor) -> Tensor:
    """The recurrence of `linear_recurrence` in about 2 log2 T dependent passes.

    They make about 2 T multiply-adds and T products of factors in all. The backward pass is the same scan from the last
    step to the first. Rounding errors differ from the loop's. A product of many factors that is too small for the dtype
    counts as 0, even where a very large state would have made it visible; where a number is too large for the dtype or
    not finite, all steps are computed one by one.
    """
    _check(a, b, first)
    return _Recurrence.apply(a, b, first, True)


def _check(a: Tensor, b: Tensor, first: Tensor) -> None:
    if a.dim() != 3 or not len(a) or b.shape != a.shape or first.shape != a.shape[1:]:
        shapes = ", ".join(str(tuple(each.shape)) for each in (a, b, first))
        raise ValueError(f"a, b and first have the shapes {shapes}; needed are (T, B, H), (T, B, H), (B, H) and T >= 1")


class _Recurrence(torch.autograd.Function):
    """With lambda_t = dL/dh_t in total: lambda_t = direct_t + a_{t+1} lambda_{t+1}, the same recurrence backwards."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, first: Tensor, parallel: bool) -> Tensor:
        def begin() -> Tensor:
            values = b.clone(memory_format=torch.contiguous_format)
            values[0].addcmul_(a[0], first)
            return values

        states = _carried(begin, a[1:], False, parallel)
        ctx.save_for_backward(a, first, states)
        ctx.parallel = parallel
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, direct: Tensor) -> tuple[Tensor | None, Tensor, Tensor, None]:
        a, first, states = ctx.saved_tensors
        total = _carried(lambda: direct.clone(memory_format=torch.contiguous_format), a[1:], True, ctx.parallel)
        grad_a = None
        if ctx.needs_input_grad[0]:
            grad_a = torch.empty_like(total)
            torch.mul(total[0], first, out=grad_a[0])
            torch.mul(total[1:], states[:-1], out=grad_a[1:])
        return grad_a, total, a[0] * total[0], None


def _carried(begin: Callable[[], Tensor], links: Tensor, backwards: bool, parallel: bool) -> Tensor:
    """Begin with T new rows x and carry each along its link: x_{t+1} += links_t x_t, backwards x_t += links_t x_{t+1}.

    A product of links can overflow where no x does, and inf * 0 is NaN: then only the loop knows the right numbers.
    """
    if parallel:
        values = begin()
        _join_pairs(values, links, backwards)
        # The sum is finite only if every number is, and takes much less time than looking at each.
        if math.isfinite(values.sum()):
            return values
    values = begin()
    rows, factors = values.unbind(), links.unbind()
    order = range(len(factors))
    for t in reversed(order) if backwards else order:
        here, there = (t + 1, t) if backwards else (t, t + 1)
        rows[there].addcmul_(factors[t], rows[here])
    return values


def _join_pairs(values: Tensor, links: Tensor, backwards: bool) -> None:
    """The parallel scan, in place: rows are joined in pairs, the ends of the pairs solved, the rows between filled in.

    Pairs are counted from where the recurrence begins. With an odd number of rows the last has no partner: it is one
    of those between.
    """
    steps = len(values)
    if steps == 1:
        return
    if backwards:
        end, between = steps % 2, (steps + 1) % 2
        ends = values[end::2]
        ends.addcmul_(links[end::2], values[end + 1 :: 2])
        _join_pairs(ends, links[end:-2:2] * links[end + 1 : -1 : 2], backwards)
        if steps > 2:
            values[between:-2:2].addcmul_(links[between:-1:2], values[between + 1 : -1 : 2])
    else:
        ends = values[1::2]
        ends.addcmul_(links[::2], values[:-1:2])
        _join_pairs(ends, links[1:-1:2] * links[2::2], backwards)
        if steps > 2:
            values[2::2].addcmul_(links[1::2], values[1:-1:2])
