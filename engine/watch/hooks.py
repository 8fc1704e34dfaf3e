"""The hooks through which the lens hears of calls, and when they are in place."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.optim.optimizer import Optimizer, register_optimizer_step_post_hook

Heard = Mapping[int, Callable[..., None]]
"""What is called for a module, by its `id`. Guarded."""


class Hooks:
    """Global forward hooks, which hear of every module's calls, and a hook on the steps of optimisers.

    Hooks of a module itself would be pickled with it: `torch.save(model)` would fail. Between two looks the forward
    hooks are taken away, for they cost time in loops over cells; an optimiser's step puts them back. A training without
    an optimiser keeps them.

    Args:
        before: (module) before a call. after: (module, args, kwargs, result) after it.
        stepped: after each update, with its optimiser. Guarded.

    Attributes:
        any_module: is called with a module before each of its calls, whichever it is. Guarded.
        any_call: the same of `before` and `after`, of every module. Guarded.
    """

    def __init__(self, before: Heard, after: Heard, stepped: Callable[[Optimizer], None]) -> None:
        self._before, self._after = before, after
        self.any_module: Callable[[nn.Module], None] | None = None
        self.any_call: tuple[Callable[..., None], Callable[..., None]] | None = None
        self._forward: list[Any] = []
        self._optimizer = register_optimizer_step_post_hook(lambda optimizer, *_: stepped(optimizer))

    @property
    def armed(self) -> bool:
        """Whether calls are heard of now."""
        return bool(self._forward)

    def hear(self, before: Heard, after: Heard) -> None:
        """Hear of other modules from now on."""
        self._before, self._after = before, after

    def arm(self, wanted: bool = True) -> None:
        """Put the forward hooks in place, or take them away if they are not wanted."""
        if wanted and not self._forward:

            def before(module: nn.Module, args: tuple[Any, ...]) -> None:
                if self.any_module is not None:
                    self.any_module(module)
                if self.any_call is not None:
                    self.any_call[0](module)
                if (heard := self._before.get(id(module))) is not None:
                    heard(module)

            def after(module: nn.Module, *call: Any) -> None:
                if (heard := self._after.get(id(module))) is not None:
                    heard(module, *call)
                if self.any_call is not None:
                    self.any_call[1](module, *call)

            self._forward = [
                register_module_forward_pre_hook(_untraced(before)),
                register_module_forward_hook(_untraced(after), with_kwargs=True),
            ]
        elif not wanted:
            for handle in self._forward:
                handle.remove()
            self._forward = []

    def close(self) -> None:
        """Take all hooks away."""
        self.arm(wanted=False)
        self._optimizer.remove()


def _untraced(hook: Callable[..., None]) -> Callable[..., None]:
    """Not compiled together with a model around it, which would take seconds; torch.compile is loaded only if used."""
    return torch.compiler.disable(hook) if "torch._dynamo" in sys.modules else hook
