"""The hooks through which the lens hears of calls, and when they are in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.optim.optimizer import register_optimizer_step_post_hook


class Hooks:
    """Global forward hooks, which hear of every module's calls, and a hook on the steps of optimisers.

    Hooks of a module itself would be pickled with it: `torch.save(model)` would fail. Between two looks the forward
    hooks are taken away, for they cost time in loops over cells; an optimiser's step puts them back. A training without
    an optimiser keeps them.

    Args:
        before: (module) before a call. after: (module, args, kwargs, result) after it.
        wanted: asked after each update, whether calls are to be heard of.
    """

    def __init__(
        self,
        before: Callable[[nn.Module], None],
        after: Callable[[nn.Module, tuple[Any, ...], dict[str, Any], Any], None],
        wanted: Callable[[], bool],
    ) -> None:
        self._before, self._after, self._wanted = before, after, wanted
        self._forward: list[Any] = []
        self._optimizer = register_optimizer_step_post_hook(self._stepped)

    @property
    def armed(self) -> bool:
        """Whether calls are heard of now."""
        return bool(self._forward)

    def arm(self) -> None:
        """Put the forward hooks in place."""
        if not self._forward:
            self._forward = [
                register_module_forward_pre_hook(lambda module, args: self._before(module)),
                register_module_forward_hook(self._after, with_kwargs=True),
            ]

    def disarm(self) -> None:
        """Take the forward hooks away."""
        for handle in self._forward:
            handle.remove()
        self._forward = []

    def close(self) -> None:
        """Take all hooks away."""
        self.disarm()
        self._optimizer.remove()

    def _stepped(self, *_: Any) -> None:
        if self._wanted():
            self.arm()
        else:
            self.disarm()
