"""Whether gradients of an update that was made are still there in the next: a missing `zero_grad`."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from engine.watch.mistakes import Mistakes, gradients_not_cleared
from engine.watch.modules import WatchedModule, flat_weights

PARALLEL = 1 - 1e-6
"""The least cosine of a gradient that was only scaled, as by clipping."""


class Used(NamedTuple):
    """A gradient as an update left it. Not kept alive by this."""

    gradient: weakref.ref[Tensor]
    version: int


class Leftovers:
    """Looks at one weight of every module, in three moments that follow one another.

    1. An update was made with a gradient. 2. The next backward pass begins, and that very gradient is still there. 3.
    The next update is made with the sum of both. Two are not enough: of two networks that are trained in turn, one gets
    gradients that it does not use, and clears them before its own pass.
    """

    def __init__(self, modules: Mapping[int, WatchedModule], mistakes: Mistakes) -> None:
        self._modules, self._mistakes = modules, mistakes
        self._used: dict[str, Used] = {}
        self._still_there: set[str] = set()
        self._sums: dict[str, Tensor] = {}

    def updated(self, optimizer: torch.optim.Optimizer) -> None:
        """An update was made."""
        moved = {id(weight) for group in optimizer.param_groups for weight in group["params"]}
        for name, weight in self._weights():
            if id(weight) in moved and (gradient := weight.grad) is not None:
                before = self._sums.pop(name, None)
                if before is not None and _is_multiple(gradient, before):
                    self._mistakes.add(gradients_not_cleared, name, [gradients_not_cleared(name)])
                self._used[name] = Used(weakref.ref(gradient), gradient._version)

    def pass_began(self) -> None:
        """A backward pass begins, and has added nothing to any weight."""
        for name, weight in self._weights():
            if (used := self._used.pop(name, None)) is not None:
                gradient = weight.grad
                is_same = gradient is not None and gradient is used.gradient() and gradient._version == used.version
                if is_same and bool(gradient.any()):  # type: ignore[union-attr]  # `.data.zero_()` leaves no trace
                    self._still_there.add(name)
                else:
                    self._mistakes.add(gradients_not_cleared, name, [False])

    def pass_ended(self) -> None:
        """It is over, and has added its own."""
        for name, weight in self._weights() if self._still_there else ():
            if name in self._still_there and weight.grad is not None:
                self._sums[name] = weight.grad.detach().clone()
        self._still_there = set()

    def _weights(self) -> Iterator[tuple[str, Tensor]]:
        """The first parameter of every module."""
        for watched in self._modules.values():
            module = watched.module()
            weights = [] if module is None else flat_weights(module)
            first = next((weight for weight in weights if weight.is_leaf and weight.requires_grad), None)
            if first is not None:
                yield watched.name, first


def _is_multiple(one: Tensor, other: Tensor) -> bool:
    a, b = one.detach().flatten().double(), other.flatten().double()
    return bool(a @ b > PARALLEL * a.norm() * b.norm())
