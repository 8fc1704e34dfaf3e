"""How many backward passes there were, those included of which nothing else was heard."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from engine.watch.guard import Guard
from engine.watch.schedule import Schedule

RECENT = 64
"""So many passes are told apart from new ones; passes can run within one another, and in several threads."""
FIRST_PASSES = 10
"""A first look at a module, or at a state, is tried in so many passes, whether or not there is time for one."""
SEARCHED_NODES = 500
"""How far the graph of a state is searched for a parameter."""


@dataclass(eq=False)
class CountedPass:
    """A backward pass. number: from 0 on. reached: the names whose parameter got its gradient in it."""

    number: int
    reached: set[str] = field(default_factory=set)


class Tally:
    """Counts backward passes by a hook on one parameter of every module, which stays while all other hooks are gone.

    Such a hook is called after `.grad` has grown. It changes nothing, costs microseconds, and is neither copied nor
    pickled with its parameter.

    Args:
        schedule: is told of every pass, and owes a first look to every module whose parameter was reached.
        guard: lets no error of a hook into the training.

    Attributes:
        reached: in how many passes the parameter of a name got a gradient before the first look at it.
    """

    def __init__(self, schedule: Schedule, guard: Guard) -> None:
        self._schedule, self._guard = schedule, guard
        self._passes: OrderedDict[int, CountedPass] = OrderedDict()
        self._hooks: dict[str, Any] = {}
        self._tried: set[str] = set()
        self.reached: dict[str, int] = {}

    def follow(self, name: str, parameters: Iterable[Tensor]) -> None:
        """Count passes that reach the first of these parameters that gets a gradient; it may be another than before."""
        parameter = next((each for each in parameters if each.is_leaf and each.requires_grad), None)
        handle = self._hooks.get(name)
        if handle is not None:
            if parameter is not None and handle.id in (parameter._post_accumulate_grad_hooks or {}):
                return
            self._hooks.pop(name).remove()
        if parameter is not None:
            hook = self._guard.hook(name, lambda _: self._at_parameter(name))
            self._hooks[name] = parameter.register_post_accumulate_grad_hook(hook)

    def running(self) -> CountedPass:
        """The pass that is running, counted the first time."""
        task = torch._C._current_graph_task_id()
        counted = self._passes.get(task)
        if counted is None:
            counted = self._passes[task] = CountedPass(self._schedule.passes)
            self._schedule.pass_began()
            if len(self._passes) > RECENT:
                self._passes.popitem(last=False)
        return counted

    def passed(self) -> CountedPass:
        """A pass has reached a parameter. If it was not counted before, no call of it was heard."""
        is_new = torch._C._current_graph_task_id() not in self._passes
        counted = self.running()
        if is_new:
            self._schedule.went_unheard()
        return counted

    def _at_parameter(self, name: str) -> None:
        """The parameter of a name was reached."""
        self.passed().reached.add(name)
        if name not in self._tried:
            self.reached[name] = self.reached.get(name, 0) + 1
            (self._schedule.owed.add if self.is_owed(name) else self._schedule.owed.discard)(name)

    def is_owed(self, name: str) -> bool:
        """Whether a first look at it is still tried."""
        return name not in self._tried and 0 < self.reached.get(name, 0) <= FIRST_PASSES

    def looked(self, counted: CountedPass) -> None:
        """A pass was looked at: the first look at what it reached was taken, or has failed."""
        self._tried |= counted.reached
        self._schedule.owed -= counted.reached

    def close(self) -> None:
        """Take all hooks away."""
        for handle in self._hooks.values():
            handle.remove()
        self._hooks.clear()


def parameters_behind(state: Tensor, known: Set[int]) -> list[Tensor]:
    """The nearest parameter from which a state was computed, or none. known: the `id` of the model's parameters."""
    waiting: list[Any] = [torch.autograd.graph.get_gradient_edge(state).node]
    seen: set[Any] = set()
    while waiting and len(seen) < SEARCHED_NODES:
        node = waiting.pop(0)
        if node is None or node in seen:
            continue
        seen.add(node)
        variable = getattr(node, "variable", None)
        if variable is not None and id(variable) in known:
            return [variable]
        waiting += [earlier for earlier, _ in node.next_functions]
    return []
