"""Tensors with a power of two beside them, so that a gradient of 1e-60 does not become 0 in float32."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

ZERO_EXPONENT = -(2**20)  # the exponent of an exact zero, below that of any number


@dataclass(frozen=True, eq=False)
class Scaled:
    """values * 2**-exponent. values (..., H), exponent (...) int32, one for each row of units.

    Changing the exponent multiplies by powers of two, which loses nothing but what falls below float32 beside a
    larger neighbour in the same row.
    """

    values: Tensor
    exponent: Tensor

    @classmethod
    def of(cls, values: Tensor) -> Scaled:
        """The plain tensor, exponent 0."""
        return cls(values, torch.zeros(values.shape[:-1], dtype=torch.int32, device=values.device))

    @classmethod
    def concatenate(cls, parts: Sequence[Scaled]) -> Scaled:
        """One after the other along the first axis."""
        return cls(torch.cat([part.values for part in parts]), torch.cat([part.exponent for part in parts]))

    def rescaled_to(self, exponent: Tensor) -> Tensor:
        """The values that stand for the same numbers under another exponent (broadcast over leading axes)."""
        return _shift(self.values, (exponent - self.exponent)[..., None])

    def to_float64(self) -> Tensor:
        """The numbers themselves, float64."""
        return _shift(self.values.double(), -self.exponent[..., None])

    def size(self) -> Tensor:
        """The 2-norm of `values` over the units, without their exponent; float64."""
        return torch.linalg.vector_norm(self.values, dim=-1, dtype=torch.float64)

    def norm(self, size: Tensor | None = None) -> Tensor:
        """The 2-norm over the units, float64. What is too small even for that is the smallest number, never 0.

        Args:
            size: `self.size()`, if somebody has it already.
        """
        size = self.size() if size is None else size
        shifted = _shift(size, -self.exponent)
        return torch.where((size > 0) & (shifted == 0), torch.finfo(torch.float64).tiny, shifted)

    def rows(self, some: slice) -> Scaled:
        """Some of the second axis: rows of (T, R, H), or seeds of (T, S, B, H)."""
        return Scaled(self.values[:, some], self.exponent[:, some])

    def units(self, start: int, stop: int) -> Scaled:
        """Some of the units."""
        return Scaled(self.values[..., start:stop], self.exponent)

    def steps(self, start: int, stop: int) -> Scaled:
        """Some of the first axis. How large all rows are is found once, when somebody first asks for some."""
        some = Scaled(self.values[start:stop], self.exponent[start:stop])
        vars(some)["binary"] = self.binary[start:stop]
        return some

    @cached_property
    def binary(self) -> Tensor:
        """The binary exponent of each row's largest number, ZERO_EXPONENT for a row of exact zeros; int32 (...)."""
        return _binary(self.values, self.exponent)

    def in_rows(self) -> Scaled:
        """(T, S, B, H) as (T, S * B, H)."""
        return Scaled(self.values.flatten(1, 2), self.exponent.flatten(1, 2))

    def of_rows(self, axes: Sequence[int]) -> Scaled:
        """The inverse: (T, S * B, H) as (T, S, B, H), `axes` being S and B."""
        return Scaled(self.values.unflatten(1, axes), self.exponent.unflatten(1, axes))

    def add(self, other: Scaled) -> Scaled:
        """The sum, row by row under the exponent of the larger one."""
        exponent = -torch.maximum(self.binary, other.binary)
        exponent = torch.where(exponent == -ZERO_EXPONENT, 0, exponent)
        return Scaled(self.rescaled_to(exponent) + other.rescaled_to(exponent), exponent)

    def common_exponent(self, others: Sequence[Tensor], exponent: Tensor) -> tuple[Tensor, Tensor]:
        """The exponent, without the first axis, under which the largest of these rows is about 1, and which are not 0.

        Considered are all steps of the first axis, and `others`, tensors of one step under `exponent`.
        """
        largest = self.binary.amax(0)
        if len(others):
            largest = torch.maximum(largest, _binary(torch.stack(list(others)), exponent).amax(0))
        there = largest != ZERO_EXPONENT
        return torch.where(there, -largest, 0), there


def _binary(values: Tensor, exponent: Tensor) -> Tensor:
    """See `Scaled.binary`."""
    largest = values.abs().amax(-1)
    binary = torch.frexp(largest).exponent - exponent
    binary = torch.where(torch.isfinite(largest), binary, 0)
    return torch.where(largest == 0, ZERO_EXPONENT, binary)


def _shift(values: Tensor, by: Tensor) -> Tensor:
    """values * 2**by, exact wherever the result is a normal number; the very tensor given where by is 0 everywhere.

    `by` is int32 and may be larger than any factor that the type can hold, so it is applied in up to three parts; more
    than that is 0 or infinite in any case.
    """
    limit, furthest = 126 if values.dtype == torch.float32 else 1022, int(by.abs().max())
    for _ in range(min(3, -(-furthest // limit))):
        part = by.clamp(-limit, limit) if furthest > limit else by
        values = values * torch.ldexp(torch.ones_like(part, dtype=values.dtype), part)
        by = by - part
    return values
