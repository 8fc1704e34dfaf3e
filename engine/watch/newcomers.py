"""Recurrent modules that are made, and trained, while nothing is heard of calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from engine.recording.growing import WHOLE_MODEL
from engine.watch.guard import Guard


class Newcomers:
    """Notices the first gradient of every recurrent module that is made from now on, whatever it is a part of.

    Its parameters are hooked as they are made, each until a gradient has come: that costs nothing between. A copy of a
    module has no such hooks, and neither has one that was loaded as a whole.

    Args:
        trained: is called at the first gradient of each parameter.
    """

    def __init__(self, guard: Guard, trained: Callable[[], None]) -> None:
        self._guard, self._trained = guard, trained
        self._handles: dict[int, Any] = {}
        self._made = register_module_parameter_registration_hook(guard.hook(WHOLE_MODEL, self._is_made))

    def _is_made(self, module: nn.Module, name: str, parameter: Tensor | None) -> None:
        """A parameter was given to a module."""
        if isinstance(module, (nn.RNNBase, nn.RNNCellBase)) and parameter is not None and parameter.requires_grad:
            hook = self._guard.hook(WHOLE_MODEL, self._reached)
            self._handles[id(parameter)] = parameter.register_post_accumulate_grad_hook(hook)

    def _reached(self, parameter: Tensor) -> None:
        """A gradient has come to it."""
        self._handles.pop(id(parameter)).remove()
        self._trained()

    def close(self) -> None:
        """Take all hooks away."""
        self._made.remove()
        for handle in [*self._handles.values()]:
            handle.remove()
        self._handles.clear()
