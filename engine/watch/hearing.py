"""When calls are heard of: hooks cost time in loops over cells, so they are gone between two looks."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from engine.recording.growing import WHOLE_MODEL
from engine.watch.guard import Guard
from engine.watch.hooks import Hooks
from engine.watch.leftovers import Leftovers
from engine.watch.listener import Listener
from engine.watch.modules import WatchedModule
from engine.watch.newcomers import Newcomers
from engine.watch.own_loops import OwnLoops
from engine.watch.schedule import Schedule

HEARD_PASSES = 2
"""So many passes are heard of before the hooks are taken away: a missing detach shows in the second."""


class Hearing:
    """Puts the hooks in place and takes them away.

    Args:
        modules: what is watched, by `id`: grows if every model is. any_module: is called with each module before its
            calls; None if one model is watched.
        counted: is called when a parameter of a module that was never heard of has got its gradient.
    """

    def __init__(
        self,
        modules: Mapping[int, WatchedModule],
        any_module: Callable[[nn.Module], None] | None,
        listener: Listener,
        leftovers: Leftovers,
        schedule: Schedule,
        guard: Guard,
        counted: Callable[[], object],
    ) -> None:
        self._modules, self._listener, self._leftovers, self._schedule = modules, listener, leftovers, schedule
        self._hooks = Hooks(listener.before, listener.after, guard.hook(WHOLE_MODEL, self._updated))
        self._hooks.any_module = any_module
        self._loops = OwnLoops(listener.key)
        begins, heard = guard.hook(WHOLE_MODEL, self._loops.begins), guard.hook(WHOLE_MODEL, self._called)
        self._for_loops = begins, heard
        self._begins_at = 0
        self._is_closed = False
        self._optimizers: weakref.WeakSet[torch.optim.Optimizer] = weakref.WeakSet()
        self._counted = counted
        self._newcomers = None if any_module is None else Newcomers(guard, self._trained)
        self._hooks.arm(bool(modules) or any_module is not None)
        self._hear_loops()

    @property
    def is_armed(self) -> bool:
        """Whether calls are heard of now."""
        return self._hooks.armed

    @property
    def loops(self) -> dict[str, str]:
        """The recurrences that were written by hand, by name, with a sentence."""
        return self._loops.found

    def pass_ended(self) -> None:
        """A backward pass of which calls were heard is over."""
        self._loops.pass_ended()
        self._hear_loops()

    def _hear_loops(self) -> None:
        """Hear of every module's calls, in the first passes alone: it takes time."""
        wanted = self._is_beginning and not self._loops.has_heard_enough
        self._hooks.any_call = self._for_loops if wanted else None

    def _called(self, module: nn.Module, *call: Any) -> None:
        self._loops.heard(module, *call)
        if self._loops.has_heard_enough:
            self._hear_loops()

    @property
    def _is_beginning(self) -> bool:
        return self._schedule.heard - self._begins_at < HEARD_PASSES

    def grown(self) -> None:
        """There are more modules than before."""
        self._hooks.hear(self._listener.before, self._listener.after)

    def _listen_anew(self) -> None:
        """Hear of the next passes, whether or not there is time for a look: they may be those of a new model."""
        self._begins_at = self._schedule.heard
        self._hooks.arm()
        self._hear_loops()

    def _trained(self) -> None:
        """A recurrent module was trained that was not heard of."""
        self._counted()
        self._listen_anew()

    def _updated(self, optimizer: torch.optim.Optimizer) -> None:
        """An update was made: hear of calls until the next one, or do not."""
        if self._newcomers is not None and optimizer not in self._optimizers:
            self._optimizers.add(optimizer)
            if not self._hooks.armed and not _are_counted(optimizer):  # those of a copy, or of a model that was loaded
                self._schedule.always_reached = False
            self._listen_anew()
        armed, wanted = self._hooks.armed, self._is_wanted()
        self._hooks.arm(wanted)
        if self._modules and not wanted:
            self._schedule.listens_always = False
        if armed or wanted:
            self._leftovers.updated(optimizer)

    def _is_wanted(self) -> bool:
        """Whether calls are to be heard of after an update."""
        schedule = self._schedule
        if self._is_closed:
            return False
        if not self._modules:
            return self._newcomers is not None
        return not schedule.by_time or self._is_beginning or schedule.would_be_due()

    def close(self) -> None:
        """Take all hooks away."""
        self._is_closed = True
        self._hooks.close()
        if self._newcomers is not None:
            self._newcomers.close()


def _are_counted(optimizer: torch.optim.Optimizer) -> bool:
    """Whether passes that reach its parameters were counted at one of them."""
    return any(weight._post_accumulate_grad_hooks for group in optimizer.param_groups for weight in group["params"])
