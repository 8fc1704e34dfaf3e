"""Tensors with separate exponents, so that a gradient of 1e-60 does not become 0 in float32."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

ZERO_EXPONENT = -(2**20)  # the exponent of an exact zero, below that of any number


@dataclass(frozen=True, eq=False)
class Scaled:
    """The numbers values * 2**-exponent: values (..., H), exponent (...) int32, one for each row of units.

    Changing the exponent multiplies values by a power of two. That is exact, except for numbers that are too small for
    float32 next to a much larger one in the same row.
    """

    values: Tensor
    exponent: Tensor

    @classmethod
    def of(cls, values: Tensor) -> Scaled:
        """Wrap a plain tensor, with exponent 0."""
        return cls(values, torch.zeros(values.shape[:-1], dtype=torch.int32, device=values.device))

    @classmethod
    def of_float64(cls, values: Tensor, dtype: torch.dtype) -> Scaled:
        """Wrap float64 numbers as numbers of another dtype, each row with the exponent that brings it to about 1."""
        largest = values.abs().amax(-1)
        usable = (largest > 0) & torch.isfinite(largest)
        exponent = torch.where(usable, -torch.frexp(largest).exponent, 0)
        return cls(_shift(values, exponent[..., None]).to(dtype), exponent)

    @classmethod
    def concatenate(cls, parts: Sequence[Scaled]) -> Scaled:
        """Concatenate along the first axis."""
        return cls(torch.cat([part.values for part in parts]), torch.cat([part.exponent for part in parts]))

    @classmethod
    def side_by_side(cls, parts: Sequence[Scaled]) -> Scaled:
        """Concatenate along the second axis, of seeds or rows."""
        return cls(torch.cat([part.values for part in parts], 1), torch.cat([part.exponent for part in parts], 1))

    def repeated(self, times: int) -> Scaled:
        """The same numbers so many times side by side along the units."""
        return Scaled(torch.cat([self.values] * times, -1), self.exponent)

    def rescaled_to(self, exponent: Tensor) -> Tensor:
        """The values that give the same numbers with another exponent, which is broadcast over leading axes."""
        return _shift(self.values, (exponent - self.exponent)[..., None])

    def to_float64(self) -> Tensor:
        """The numbers themselves, float64."""
        return _shift(self.values.double(), -self.exponent[..., None])

    def size(self) -> Tensor:
        """The 2-norm of `values` over the units, without their exponent; float64."""
        return torch.linalg.vector_norm(self.values, dim=-1, dtype=torch.float64)

    def norm(self, size: Tensor | None = None) -> Tensor:
        """The 2-norm over the units, float64. A norm too small for float64 is the smallest normal number, not 0.

        Args:
            size: `self.size()`, if it is known already.
        """
        size = self.size() if size is None else size
        shifted = _shift(size, -self.exponent)
        return torch.where((size > 0) & (shifted == 0), torch.finfo(torch.float64).tiny, shifted)

    def share_of(self, whole: Scaled) -> Tensor:
        """<self, whole> / ||whole||^2 over the units, float64; NaN where the whole is 0."""
        along = (self.values.double() * whole.values.double()).sum(-1) / whole.size() ** 2
        return _shift(along, whole.exponent - self.exponent)

    def rows(self, some: slice) -> Scaled:
        """Slice the second axis: rows of (T, R, H), or seeds of (T, S, B, H)."""
        return Scaled(self.values[:, some], self.exponent[:, some])

    def units(self, start: int, stop: int) -> Scaled:
        """Slice the units."""
        return Scaled(self.values[..., start:stop], self.exponent)

    def steps(self, start: int, stop: int) -> Scaled:
        """Slice the first axis. `binary` is computed once for all steps, at the first slice."""
        some = Scaled(self.values[start:stop], self.exponent[start:stop])
        vars(some)["binary"] = self.binary[start:stop]
        return some

    @cached_property
    def binary(self) -> Tensor:
        """The binary exponent of each row's largest number, ZERO_EXPONENT for a row of exact zeros; int32 (...)."""
        return _binary(self.values, self.exponent)

    def in_rows(self) -> Scaled:
        """Flatten seeds and sequences into rows: (T, S, B, H) to (T, S * B, H)."""
        return Scaled(self.values.flatten(1, 2), self.exponent.flatten(1, 2))

    def of_rows(self, axes: Sequence[int]) -> Scaled:
        """Undo `in_rows`: (T, S * B, H) to (T, S, B, H), with `axes` = (S, B)."""
        return Scaled(self.values.unflatten(1, axes), self.exponent.unflatten(1, axes))

    def add(self, other: Scaled) -> Scaled:
        """The sum; each row gets the exponent of its larger summand."""
        exponent = -torch.maximum(self.binary, other.binary)
        exponent = torch.where(exponent == -ZERO_EXPONENT, 0, exponent)
        return Scaled(self.rescaled_to(exponent) + other.rescaled_to(exponent), exponent)

    def common_exponent(self, others: Sequence[Tensor], exponent: Tensor) -> tuple[Tensor, Tensor]:
        """Find for each row one exponent for all steps, with which its largest number is about 1.

        Args:
            others: tensors of one more step, with `exponent`, that are taken into account.

        Returns:
            The exponents, without the first axis, and True for each row that is not 0 everywhere.
        """
        largest = self.binary.amax(0)
        for each in others:
            largest = torch.maximum(largest, _binary(each, exponent))
        there = largest != ZERO_EXPONENT
        return torch.where(there, -largest, 0), there


def _binary(values: Tensor, exponent: Tensor) -> Tensor:
    """See `Scaled.binary`."""
    largest = values.abs().amax(-1)
    binary = torch.frexp(largest).exponent - exponent
    binary = torch.where(torch.isfinite(largest), binary, 0)
    return torch.where(largest == 0, ZERO_EXPONENT, binary)


def _shift(values: Tensor, by: Tensor) -> Tensor:
    """values * 2**by, exact if the result is a normal number. Returns the same tensor if `by` is 0 everywhere.

    `by` is int32, and 2**by can exceed the range of the dtype, so it is applied in up to three factors; beyond that the
    result is 0 or infinite anyway.
    """
    limit, furthest = 126 if values.dtype == torch.float32 else 1022, int(by.abs().max())
    for _ in range(min(3, -(-furthest // limit))):
        part = by.clamp(-limit, limit) if furthest > limit else by
        values = values * torch.ldexp(torch.ones_like(part, dtype=values.dtype), part)
        by = by - part
    return values
