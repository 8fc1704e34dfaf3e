"""The models of a training that nobody has named: they are found when they are called."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import torch
from torch import nn

from engine.recording.growing import WHOLE_MODEL
from engine.watch.guard import Guard
from engine.watch.modules import WatchedModule, find


class Roots:
    """Takes every model that is called, and adds its recurrent modules to those that are watched.

    A model's own call comes before those of its parts. So a module that is called, and that no model called before it
    contains, is the outermost. Its class gives the names of its parts: "Net.lstm", of a second model "Net-2.lstm".
    When a model is gone, the next of its class takes over its name, as in a training that makes one after the other.

    Args:
        modules: what is watched, by `id`: grows. guard: is told why others cannot be. found: is called when it has
            grown.
    """

    def __init__(self, modules: dict[int, WatchedModule], guard: Guard, found: Callable[[], None]) -> None:
        self._modules, self._guard, self._found = modules, guard, found
        self._seen: dict[int, weakref.ref[nn.Module]] = {}
        self._named: dict[str, weakref.ref[nn.Module]] = {}

    @property
    def any_called(self) -> bool:
        """Whether any model has been called with gradients enabled."""
        return bool(self._seen)

    def called(self, module: nn.Module) -> None:
        """A module is about to be called. Only those called with gradients enabled are taken."""
        if torch.compiler.is_compiling() or self._is_seen(module) or not torch.is_grad_enabled():
            return
        with self._guard.of(WHOLE_MODEL):
            self._add(module)

    def _is_seen(self, module: nn.Module) -> bool:
        known = self._seen.get(id(module))
        return known is not None and known() is module

    def _add(self, model: nn.Module) -> None:
        new = {id(part) for part in model.modules() if not self._is_seen(part)}
        self._seen |= {id(part): weakref.ref(part) for part in model.modules()}
        if any(find(model)):
            found, refused = find(model, self._name(model))
            self._modules |= {key: watched for key, watched in found.items() if key in new}
            self._guard.refusals |= refused
            self._found()

    def _name(self, module: nn.Module) -> str:
        """The first name of its class that no living model has."""
        inner = module._modules.get("_orig_mod") or module
        kind, number = type(inner).__name__, 1
        while (name := kind if number == 1 else f"{kind}-{number}") in self._named and self._named[name]() is not None:
            number += 1
        self._named[name] = weakref.ref(module)
        return name
