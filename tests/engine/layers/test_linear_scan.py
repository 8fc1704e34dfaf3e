"""The linear recurrence in three ways, against autograd through plain steps and against a calculation by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from engine.cells.parallel_time import SCAN_FROM_STEPS, SCAN_TO_WIDTH, dependent_steps, scan_pays
from engine.layers.linear_scan import linear_recurrence, loop, scan
from tests.cases import for_each

WAYS = [loop, scan, linear_recurrence]


def plain(a: Tensor, b: Tensor, first: Tensor) -> Tensor:
    """The definition, written down."""
    states = []
    for t in range(len(a)):
        states.append(a[t] * (states[-1] if states else first) + b[t])
    return torch.stack(states)


def drawn(steps: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    """Factors between -1.5 and 1.5, a third of them 0."""
    draw = torch.Generator().manual_seed(steps)
    a = 3 * torch.rand(steps, 3, 4, generator=draw, dtype=dtype) - 1.5
    a[torch.rand(a.shape, generator=draw) < 1 / 3] = 0
    b, first = (torch.randn(shape, generator=draw, dtype=dtype) for shape in ((steps, 3, 4), (3, 4)))
    return a, b, first


def solved(way, *inputs: Tensor) -> list[Tensor]:
    """States, dL/da, dL/db and dL/dfirst, where L weights every state differently."""
    leaves = [each.clone().requires_grad_() for each in inputs]
    states = way(*leaves)
    weights = torch.randn(states.shape, generator=torch.Generator().manual_seed(1), dtype=states.dtype)
    return [states.detach(), *torch.autograd.grad(states, leaves, weights)]


def assert_close(actual: list[Tensor], expected: list[Tensor], tolerance: float) -> None:
    for one, other in zip(actual, expected, strict=True):
        assert (one - other).abs().max() <= tolerance * other.abs().max()


@for_each({"way": WAYS, "steps": (1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 32, 33, 50), "dtype, tolerance": [
    (torch.float64, 1e-12), (torch.float32, 1e-5)]})  # fmt: skip
def test_states_and_gradients_are_those_of_autograd(way, steps, dtype, tolerance):
    inputs = drawn(steps, dtype)
    assert_close(solved(way, *inputs), solved(plain, *inputs), tolerance)


@for_each({"way": WAYS})
def test_three_steps_by_hand(way):
    a, b = (torch.tensor(values, dtype=torch.float64).reshape(3, 1, 1) for values in ([2, 0.5, -1], [1, 2, 3]))
    a, b, first = a.requires_grad_(), b.requires_grad_(), torch.full((1, 1), 4, dtype=torch.float64, requires_grad=True)
    states = way(a, b, first)
    assert states.flatten().tolist() == [2 * 4 + 1, 0.5 * 9 + 2, -1 * 6.5 + 3]
    # L = h_0 + 10 h_1 + 100 h_2: lambda_2 = 100, lambda_1 = 10 - 1 * 100, lambda_0 = 1 + 0.5 * -90
    (states.flatten() * torch.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert b.grad.flatten().tolist() == [-44, -90, 100]
    assert a.grad.flatten().tolist() == [-44 * 4, -90 * 9, 100 * 6.5]
    assert first.grad.item() == 2 * -44


@for_each({"way": WAYS, "dtype, tolerance": [(torch.float64, 1e-12), (torch.float32, 1e-6)]})
def test_three_thousand_steps_of_a_half(way, dtype, tolerance):
    """exp(sum log a) is 0 here, and 1 / exp(sum log a) infinite, in float64 too."""
    ones = torch.ones(3000, 1, 2, dtype=dtype)
    inputs = 0.5 * ones, ones, ones[0]
    assert_close(solved(way, *inputs), solved(plain, *inputs), tolerance)


@for_each({"way": WAYS})
def test_factors_whose_product_overflows_do_no_harm_where_the_state_is_zero(way):
    """2 ** 200 is infinite in float32, and infinity * 0 is not a number."""
    a, b = torch.full((200, 1, 2), 2.0).requires_grad_(), torch.zeros(200, 1, 2)
    b[190:] = 1
    first = torch.zeros(1, 2, requires_grad=True)
    states = way(a, b, first)
    assert torch.equal(states, plain(a, b, first)) and states[189].eq(0).all() and states[199].eq(1023).all()
    states[:10].sum().backward()  # so lambda is 0 in the 190 steps behind them
    assert first.grad.eq(2046).all() and a.grad.eq(0).all()


def test_nothing_finite_becomes_infinite_beside_an_exploding_unit():
    a, b, first = drawn(300)
    a[:, 0, 0] = 1e3
    states, expected = scan(a, b, first), plain(a, b, first)
    assert torch.equal(states.isfinite(), expected.isfinite()) and not states.isfinite().all()
    assert_close([states[:, 1:]], [expected[:, 1:]], 1e-12)


class Passes(TorchDispatchMode):
    """Count the multiply-adds that run one after the other; one that is made for nobody counts as well."""

    def __init__(self) -> None:
        super().__init__()
        self.made = 0

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        self.made += "addcmul" in function.name()
        return function(*arguments, **(named or {}))


@for_each({"steps": (1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 50, 64, 96, 97)})
def test_dependent_steps_are_the_passes_that_are_made(steps):
    a, b, first = (each.requires_grad_() for each in drawn(steps))
    for way, promised in zip((loop, scan), dependent_steps(steps), strict=True):
        with Passes() as forward:
            states = way(a, b, first)
        with Passes() as backward:
            states.sum().backward()
        assert forward.made == promised
        assert backward.made == promised - 1  # and a_0 * lambda_0, which adds nothing, is the last


def test_the_scan_needs_about_two_passes_for_every_doubling():
    assert dependent_steps(4096) == (4096, 2 * 12)
    assert dependent_steps(1) == (1, 1)
    assert dependent_steps(3000).scan == 1 + 11 + 10


def test_the_shape_decides_alone_which_way_is_taken():
    def same(way, steps, width):
        a, b = torch.rand(steps, 2, width // 2), torch.rand(steps, 2, width // 2)
        return torch.equal(linear_recurrence(a, b, b[0]), way(a, b, b[0]))

    for steps, width in ((SCAN_FROM_STEPS, 16), (SCAN_FROM_STEPS, SCAN_TO_WIDTH)):
        assert scan_pays(steps, width) and same(scan, steps, width) and not same(loop, steps, width)
    for steps, width in ((SCAN_FROM_STEPS - 1, 16), (SCAN_FROM_STEPS, SCAN_TO_WIDTH + 2)):
        assert not scan_pays(steps, width) and same(loop, steps, width) and not same(scan, steps, width)


@for_each({"way": WAYS})
def test_inputs_stay_as_they_are_and_need_not_be_contiguous(way):
    a, b, first = drawn(9)
    kept = [each.clone() for each in (a, b, first)]
    expected = way(a, b, first)
    assert all(torch.equal(one, other) for one, other in zip((a, b, first), kept, strict=True))
    moved = (each.transpose(-1, -2).contiguous().transpose(-1, -2) for each in (a, b, first))
    assert torch.allclose(way(*moved), expected, rtol=1e-12)
    one_row = b[:1].expand(9, 3, 4).requires_grad_()
    way(a, one_row, first).sum().backward()  # whose gradient arrives as one number for all


@for_each({"way": WAYS, "shapes": [((0, 1, 2), (0, 1, 2), (1, 2)), ((3, 1, 2), (3, 2, 2), (1, 2)),
                                   ((3, 1, 2), (3, 1, 2), (2,)), ((3, 2), (3, 2), (2,))]})  # fmt: skip
def test_shapes_that_do_not_belong_together_are_refused(way, shapes):
    with pytest.raises(ValueError, match="needed are"):
        way(*(torch.zeros(shape) for shape in shapes))
