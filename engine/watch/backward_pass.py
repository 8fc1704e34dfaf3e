"""The backward passes that are running: which calls' gradients have come back, and when it is over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from engine.watch.call import Call
from engine.watch.proof import WeightRecord

MOST_TASKS = 8
"""Backward passes that are remembered as running. One within another (checkpointing) is running twice; one in which an
error was raised never ends."""


@dataclass(eq=False)
class Task:
    """What has arrived in one backward pass."""

    calls: dict[int, Call] = field(default_factory=dict)
    record: WeightRecord = field(default_factory=WeightRecord)


class BackwardPasses:
    """Collects what arrives, and calls `ended` within the same pass, when autograd has done the rest.

    Not later: `p.data.add_` leaves no trace on a weight's version, so that a later sweep could be silently wrong.

    Args:
        weights: all watched weights, to be remembered before anything is added to their `.grad`; none if this pass is
            not to be proved. ended: gets the calls in their order and the record of the weights.
    """

    def __init__(
        self, weights: Callable[[], Sequence[Tensor]], ended: Callable[[list[Call], WeightRecord], None]
    ) -> None:
        self._weights, self._ended = weights, ended
        self._tasks: dict[int, Task] = {}

    def begin(self, remember: bool = True) -> Task:
        """The pass that is running; the first time in it, ask to be called at its end."""
        number = torch._C._current_graph_task_id()
        if number not in self._tasks:
            self._tasks[number] = task = Task()
            for old in list(self._tasks)[:-MOST_TASKS]:
                del self._tasks[old]
            torch.autograd.Variable._execution_engine.queue_callback(lambda: self._end(number))
            if remember:
                task.record.remember(self._weights())
        return self._tasks[number]

    def arrived(self, call: Call, names: Sequence[tuple[int, str]], gradients: Sequence[Tensor | None]) -> None:
        """Gradients of some results of a call.

        Args:
            names: (place in `gradients`, "output", "h" or "c").
        """
        task = self.begin()
        if torch.is_grad_enabled():  # create_graph=True
            call.refused = (
                f"{call.name}: its backward pass is differentiated itself (create_graph=True), and the gradient then "
                "comes back along further ways"
            )
        if call.number not in task.calls:
            task.calls[call.number] = call
            call.gradients = {}  # a second pass through the same graph brings its own
        for place, name in names:
            if (gradient := gradients[place]) is not None:
                call.gradients[name] = gradient.detach()

    def arrived_at_weight(self, key: int, gradient: Tensor | None) -> None:
        """The gradient of a weight that is computed; key: its `id`."""
        task = self.begin()
        if gradient is not None:
            task.record.arrived[key] = gradient.detach()

    def _end(self, number: int) -> None:
        task = self._tasks.pop(number)
        calls = [task.calls[each] for each in sorted(task.calls)]
        self._ended(calls, task.record)
        for call in calls:
            call.gradients = {}


def weight_hook(key: int, number: int, arrived: Callable[[int, Tensor | None], None]) -> Callable[[Any], None]:
    """A hook for the node that computed a weight, as its output `number`."""

    def hook(gradients: tuple[Tensor | None, ...]) -> None:
        arrived(key, gradients[number])

    return hook
