"""What the lens computes within: PyTorch's usual state, whatever a training has set, and on every thread of autograd's.

On a GPU backward hooks run on another thread, which does not have the default device and the grad mode of the training.
So the lens relies on neither.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, ParamSpec, TypeVar

import torch

P = ParamSpec("P")
R = TypeVar("R")
DEVICES = ("cpu", "cuda")


class OnCPU(AbstractContextManager[None]):
    """New tensors are made on the CPU, where no device is named. A class, for it is entered at every call of a cell."""

    __slots__ = ("_device",)

    def __init__(self) -> None:
        self._device: Any = None

    def __enter__(self) -> None:
        if torch._C._len_torch_function_stack():  # a default device is one of these; without any there is none
            self._device = torch.device("cpu")
            self._device.__enter__()

    def __exit__(self, *error: Any) -> None:
        if self._device is not None:
            self._device.__exit__(*error)


def on_cpu(run: Callable[P, R]) -> Callable[P, R]:
    """The same function in `OnCPU`."""

    @functools.wraps(run)
    def within(*args: P.args, **kwargs: P.kwargs) -> R:
        with OnCPU():
            return run(*args, **kwargs)

    return within


def measuring(run: Callable[P, R]) -> Callable[P, R]:
    """The same function without autograd, and in full precision also where `backward()` was called under autocast."""

    @functools.wraps(run)
    def within(*args: P.args, **kwargs: P.kwargs) -> R:
        with ExitStack() as stack:
            stack.enter_context(torch.no_grad())
            for device in DEVICES:
                if torch.is_autocast_enabled(device):
                    stack.enter_context(torch.autocast(device, enabled=False))
            return run(*args, **kwargs)

    return within
