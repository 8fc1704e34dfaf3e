"""Numbers with a power of two beside them: exact, whatever their size, and zero only where they are zero."""

from __future__ import annotations

import math

import pytest
import torch

from engine.lens.scaled import Scaled
from tests.cases import for_each

MIN_SUBNORMAL, NORMAL, MAX_NORMAL = 2.0**-149, 2.0**-126, (2 - 2.0**-23) * 2.0**127  # of float32

# Powers of two (and a little more), so that float32 holds them exactly: (numbers, exponent beside them).
ROWS = [
    pytest.param([0.75, -1.0, 0.0], 0, id="plain"),
    pytest.param([0.75, -1.0, 0.0], 200, id="beyond float32, small"),
    pytest.param([0.75, -1.0, 0.0], -200, id="beyond float32, large"),
    pytest.param([0.5, 2.0**-20, -3.0], 900, id="very small"),
    pytest.param([2.0**100, 2.0**90, -(2.0**100)], 150, id="large beside small"),
]


def row(values: list[float], exponent: int = 0, dtype: torch.dtype = torch.float32) -> Scaled:
    """One row of units."""
    return Scaled(torch.tensor([values], dtype=dtype), torch.tensor([exponent], dtype=torch.int32))


def meant(values: list[float], exponent: int = 0) -> list[float]:
    return [math.ldexp(value, -exponent) for value in values]


def bare(scaled: Scaled) -> list[float]:
    return scaled.to_float64()[0].tolist()


# ---- the numbers themselves


def test_a_plain_tensor_has_exponent_0():
    values = torch.randn(3, 2, 4)
    scaled = Scaled.of(values)
    assert scaled.exponent.dtype == torch.int32 and scaled.exponent.shape == (3, 2)
    assert scaled.to_float64().dtype == torch.float64
    assert torch.equal(scaled.to_float64(), values.double())


@pytest.mark.parametrize(("values", "exponent"), ROWS)
def test_full_is_exact(values, exponent):
    assert bare(row(values, exponent)) == meant(values, exponent)


@pytest.mark.parametrize("value", [MIN_SUBNORMAL, 1e-42, NORMAL, 2.0**127, MAX_NORMAL, -MAX_NORMAL])
def test_full_and_norm_hold_the_ends_of_float32(value):
    value = torch.tensor(value, dtype=torch.float32).item()
    assert bare(row([value, 0.0])) == [value, 0.0]
    assert row([value, 0.0]).norm().item() == abs(value)


@pytest.mark.parametrize("exponent", [-900, -200, 0, 200, 900])
def test_norm_is_exact_for_a_right_triangle(exponent):
    norm = row([3.0, 0.0, -4.0], exponent).norm()
    assert norm.dtype == torch.float64
    assert norm.item() == math.ldexp(5.0, -exponent)


@pytest.mark.parametrize("size", [1e-30, 1e30], ids=["squares below float32", "squares beyond float32"])
def test_norm_squares_in_double_precision(size):
    assert row([3 * size, 4 * size]).norm().item() == pytest.approx(5 * size, rel=1e-6)


def test_each_row_has_its_own_exponent():
    scaled = Scaled(torch.tensor([[[3.0, 4.0], [0.5, 0.0]]]), torch.tensor([[10, -10]], dtype=torch.int32))
    assert scaled.to_float64().tolist() == [[[3 / 1024, 4 / 1024], [512.0, 0.0]]]
    assert scaled.norm().tolist() == [[5 / 1024, 512.0]]


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_what_is_not_finite_stays_so(value):
    for scaled in (row([value, 1.0]), row([value, 1.0]).add(row([1.0, 1.0]))):
        assert bare(scaled)[0] == pytest.approx(value, nan_ok=True)
        assert not math.isfinite(scaled.norm().item())


def test_parts_keep_their_numbers():
    scaled = Scaled(torch.randn(4, 2, 6), torch.randint(-300, 300, (4, 2), dtype=torch.int32))
    assert torch.equal(scaled.units(1, 3).to_float64(), scaled.to_float64()[..., 1:3])
    assert torch.equal(scaled.steps(1, 3).to_float64(), scaled.to_float64()[1:3])


# ---- under another exponent


@for_each({"exponent": [-500, 0, 500], "shift": [-100, -1, 0, 1, 100]})
def test_the_same_numbers_under_another_exponent(exponent, shift):
    values = [0.75, -1.0, 2.0**-10, 0.0]
    moved = row(values, exponent).rescaled_to(torch.tensor([exponent + shift], dtype=torch.int32))
    assert moved.dtype == torch.float32
    assert moved[0].tolist() == [value * 2.0**shift for value in values]


def test_one_exponent_serves_all_leading_steps():
    scaled = Scaled(torch.ones(3, 2, 1), torch.tensor([[0, 1], [2, 3], [4, 5]], dtype=torch.int32))
    moved = scaled.rescaled_to(torch.tensor([4, 5], dtype=torch.int32))
    assert moved[..., 0].tolist() == [[16.0, 16.0], [4.0, 4.0], [1.0, 1.0]]


@pytest.mark.parametrize(
    ("value", "shift"),
    [
        pytest.param(MIN_SUBNORMAL, 148, id="the smallest, up"),
        pytest.param(1e-42, 139, id="subnormal, up"),
        pytest.param(NORMAL, 130, id="normal, up"),
        pytest.param(MAX_NORMAL, -128, id="the largest, down"),
        pytest.param(2.0**127, -127, id="large, down"),
    ],
)
def test_a_shift_over_the_whole_of_float32_is_a_shift(value, shift):
    """Both ends are float32 numbers, and so are the results: nothing is lost on the way either."""
    value = torch.tensor(value, dtype=torch.float32).item()
    assert row([value]).rescaled_to(torch.tensor([shift], dtype=torch.int32)).item() == math.ldexp(value, shift)


def test_what_falls_below_float32_beside_a_larger_neighbour_is_lost_not_made_larger():
    moved = row([1.0], 600).rescaled_to(torch.tensor([0], dtype=torch.int32)).item()
    assert 0 <= moved <= 2.0**-600


# ---- sums


@for_each({"apart": [-20, -3, 0, 3, 20], "exponent": [-700, 0, 700]})
def test_a_sum_of_powers_of_two_is_exact(exponent, apart):
    total = row([1.0, -0.5, 0.0], exponent).add(row([1.0, 0.0, 0.25], exponent + apart))
    assert total.exponent.dtype == torch.int32 and total.values.dtype == torch.float32
    expected = zip(meant([1.0, -0.5, 0.0], exponent), meant([1.0, 0.0, 0.25], exponent + apart), strict=True)
    assert bare(total) == [a + b for a, b in expected]


@pytest.mark.parametrize("exponent", [-600, 600])
def test_of_two_far_apart_the_larger_stands(exponent):
    small, large = row([1.0, 0.0], 600), row([1.0, 0.0], -600)
    assert bare(small.add(large)) == bare(large.add(small)) == [2.0**600, 0.0]
    one = row([1.0, 0.0])
    assert bare(one.add(row([1.0, 0.0], exponent))) == [max(1.0, 2.0**-exponent), 0.0]


def test_every_row_of_a_sum_is_scaled_by_itself():
    first = Scaled(torch.tensor([[1.0], [1.0]]), torch.tensor([0, 400], dtype=torch.int32))
    second = Scaled(torch.tensor([[1.0], [1.0]]), torch.tensor([-1, 401], dtype=torch.int32))
    assert first.add(second).to_float64()[:, 0].tolist() == [3.0, 1.5 * 2.0**-400]


@pytest.mark.parametrize("value", [MIN_SUBNORMAL, 1e-42, 2.0**-127, NORMAL, 1.0, 2.0**125, 2.0**126, MAX_NORMAL])
def test_a_sum_holds_the_ends_of_float32(value):
    value = torch.tensor(value, dtype=torch.float32).item()
    assert bare(row([value, 0.0]).add(row([0.0, 0.0]))) == [value, 0.0]
    assert bare(row([value, 0.0]).add(row([value, 0.0]))) == [2 * value, 0.0]


@pytest.mark.parametrize("value", [1e-300, 1.0, 1e300])
def test_double_precision_keeps_its_own_range(value):
    total = row([value], dtype=torch.float64).add(row([value], dtype=torch.float64))
    assert total.values.dtype == torch.float64
    assert bare(total) == [2 * value]


# ---- zeros


@pytest.mark.parametrize("exponent", [-1000, 0, 1000])
def test_zero_is_zero_under_any_exponent(exponent):
    zero, none = row([0.0, 0.0], exponent), torch.tensor([0], dtype=torch.int32)
    assert bare(zero) == [0.0, 0.0] and zero.norm().item() == 0
    assert zero.rescaled_to(none)[0].tolist() == [0.0, 0.0]
    assert bare(zero.add(zero)) == [0.0, 0.0]
    assert zero.add(zero).exponent.item() == 0
    for other in (row([1.0, -0.5], 300), row([1.0, -0.5], -300)):
        assert bare(zero.add(other)) == bare(other.add(zero)) == bare(other)


def test_what_cancels_is_zero():
    assert bare(row([0.75, -2.0], 300).add(row([-0.75, 2.0], 300))) == [0.0, 0.0]


# ---- a common exponent


@for_each({"value": [0.5, 0.75, 1.0, -1.0, 1023.0, -(2.0**-60), 3e-20], "exponent": [-300, 0, 300]})
def test_the_largest_of_all_steps_becomes_about_1(value, exponent):
    scaled = Scaled(
        torch.tensor([[[value / 4, 0.0]], [[0.0, value]], [[0.0, 0.0]]]),
        torch.full((3, 1), exponent, dtype=torch.int32),
    )
    fitting, there = scaled.common_exponent([], torch.tensor([0], dtype=torch.int32))
    assert there.tolist() == [True]
    assert fitting.shape == (1,) and fitting.dtype == torch.int32
    largest = scaled.rescaled_to(fitting).abs().max().item()
    assert 0.5 <= largest < 1
    assert math.ldexp(largest, -fitting.item()) == math.ldexp(abs(scaled.values[1, 0, 1].item()), -exponent)


def test_each_row_of_the_batch_finds_its_own():
    scaled = Scaled(torch.tensor([[[1.0], [8.0], [0.0]]]), torch.tensor([[0, 0, 5]], dtype=torch.int32))
    # 1 = 0.5 * 2**1, 8 = 0.5 * 2**4, and nothing stands beside a row of zeros
    fitting, there = scaled.common_exponent([], torch.zeros(3, dtype=torch.int32))
    assert fitting.tolist() == [-1, -4, 0] and there.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("others", "under", "fitting"),
    [
        ([[1.0, 0.0]], 0, -1),  # smaller than the 8 of the steps by 3 binary places, but ...
        ([[1.0, 0.0]], -10, -11),  # ... 1024 under this exponent
        ([[1.0, 0.0], [0.0, -64.0]], 0, -7),
        ([[0.0, 0.0]], -100, 200),
    ],
    ids=["beside zeros", "larger", "the largest of two", "zeros"],
)
def test_the_rows_beside_count_under_their_own_exponent(others, under, fitting):
    steps = row([0.5, 0.0], 200)  # 2**-201, whose exponent is 200
    steps = Scaled(steps.values[None], steps.exponent[None])
    beside = [torch.tensor([each]) for each in others]
    assert steps.common_exponent(beside, torch.tensor([under], dtype=torch.int32))[0].tolist() == [fitting]


def test_nothing_beside_nothing_has_exponent_0():
    zero = Scaled(torch.zeros(2, 1, 3), torch.full((2, 1), 77, dtype=torch.int32))
    assert zero.common_exponent([torch.zeros(1, 3)], torch.tensor([-50], dtype=torch.int32))[0].tolist() == [0]
