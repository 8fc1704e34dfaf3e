"""The loss of a backward pass: the number on which `loss.backward()` was called."""

from __future__ import annotations

import inspect
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from engine.recording.growing import WHOLE_MODEL
from engine.watch.guard import Guard

FUNCTIONS = {"backward": ("tensors", 0, "grad_tensors", 1), "grad": ("outputs", 0, "grad_outputs", 2)}
"""What in `torch.autograd` begins a pass, with names and places of two arguments: from what it starts, and the gradient
that is given there."""
CLOSED: weakref.WeakSet[Callable[..., Any]] = weakref.WeakSet()
"""Functions of lenses that are closed, and that stand in the place of PyTorch's because another lens came later."""


@dataclass(eq=False)
class Start:
    """A pass that was begun. scalars: from which it starts, none if it starts otherwise; their sum is the loss."""

    thread: int
    scalars: tuple[Tensor, ...]


class Losses:
    """Hears from which numbers backward passes start.

    PyTorch has no hook for this, and a graph knows no values. So `torch.autograd.backward`, which `loss.backward()`
    calls, and `torch.autograd.grad` are replaced while a model is watched: by functions that remember what they are
    given and call them. Nothing is computed, and a loss is read only where a look asks for it.
    """

    def __init__(self, guard: Guard) -> None:
        self._running: list[Start] = []
        self._own: dict[str, Callable[..., Any]] = {}
        for name in FUNCTIONS:
            begins, ends = partial(self._begins, name), self._running.remove
            self._own[name] = guard.around(WHOLE_MODEL, getattr(torch.autograd, name), begins, ends)
            setattr(torch.autograd, name, self._own[name])

    def divided_by(self, scale: float) -> float | None:
        """The loss of the pass that is running. scale: by which a GradScaler has multiplied it.

        A pass within another, as of a checkpoint, that starts from no loss of its own belongs to that of the outer one.
        None if there is none, or if passes run in several threads.
        """
        scalars = self.scalars
        return sum(float(each.detach()) for each in scalars) / scale if scalars else None

    @property
    def scalars(self) -> tuple[Tensor, ...]:
        """The numbers whose sum is the loss of the pass that is running; none if it is not known."""
        if len({start.thread for start in self._running}) != 1:
            return ()
        return next((start.scalars for start in reversed(self._running) if start.scalars), ())

    def _begins(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Start:
        root, root_place, gradient, gradient_place = FUNCTIONS[name]
        roots = _listed(args[root_place] if len(args) > root_place else kwargs.get(root))
        gradients = _listed(args[gradient_place] if len(args) > gradient_place else kwargs.get(gradient))
        is_loss = all(given is None for given in gradients) and all(map(_is_scalar, roots))
        self._running.append(start := Start(threading.get_ident(), tuple(roots) if is_loss else ()))
        return start

    def close(self) -> None:
        """Put back what was replaced."""
        for name, own in self._own.items():
            CLOSED.add(own)
            present = getattr(torch.autograd, name)
            setattr(torch.autograd, name, inspect.unwrap(present, stop=lambda each: each not in CLOSED))


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (tuple, list)) else (value,)


def _is_scalar(root: Any) -> bool:
    """Whether it is one number. A subclass of Tensor may need other processes to tell it."""
    return type(root) in (Tensor, nn.Parameter) and root.numel() == 1
