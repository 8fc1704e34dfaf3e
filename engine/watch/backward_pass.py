"""The backward passes that are running: which calls' gradients have come back, and when it is over."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from engine.recording.growing import WHOLE_MODEL
from engine.watch.call import Call
from engine.watch.guard import Guard
from engine.watch.tally import CountedPass, Tally


@dataclass(eq=False)
class RunningPass:
    """What has arrived in one backward pass.

    Args:
        calls: whose gradients have come back, by number. at_weights: see `engine.watch.proof.AtWeights`.
        states: those that were shown by `Lens.state`, as `engine.watch.states.States`.
        counted: how it was counted. is_look: one of its calls was to be looked at, whether or not that succeeds.
    """

    counted: CountedPass
    calls: dict[int, Call] = field(default_factory=dict)
    at_weights: dict[int, Tensor] = field(default_factory=dict)
    states: dict[str, dict[int, Any]] = field(default_factory=dict)
    is_look: bool = False

    @property
    def device(self) -> torch.device | None:
        """Where it runs; None if nothing has arrived."""
        for call in self.calls.values():
            return call.output.device
        return next((state.value.device for shown in self.states.values() for state in shown.values()), None)


class BackwardPasses:
    """Collects what arrives, and has it measured within the same pass, when autograd has done the rest.

    Not later: `p.data.add_` leaves no trace on a weight's version, so that a later sweep could be silently wrong. A
    pass can run within another (checkpointing). Each is held by its own callbacks alone, so that one in which an error
    was raised, and which never ends, is forgotten with them.

    Args:
        tally: counts them. measure: gets a pass at its end. ended: gets it afterwards, also if measuring has failed.
    """

    def __init__(
        self,
        guard: Guard,
        tally: Tally,
        measure: Callable[[RunningPass], None],
        ended: Callable[[RunningPass], None],
    ) -> None:
        self._guard, self._tally, self._measure, self._ended = guard, tally, measure, ended
        self._running: weakref.WeakValueDictionary[int, RunningPass] = weakref.WeakValueDictionary()

    def begin(self, *, is_look: bool) -> RunningPass:
        """The pass that is running; the first time in it, ask to be called at its end."""
        number = torch._C._current_graph_task_id()
        running = self._running.get(number)
        if running is None:
            running = self._running[number] = RunningPass(self._tally.running())
            for step in (self._measure, self._over):
                torch.autograd.Variable._execution_engine.queue_callback(
                    self._guard.hook(WHOLE_MODEL, partial(step, running))
                )
        running.is_look |= is_look
        return running

    def arrived(self, call: Call, names: Sequence[tuple[int, str]], gradients: Sequence[Tensor | None]) -> None:
        """Gradients of some results of a call.

        Args:
            names: (place in `gradients`, "output", "h" or "c").
        """
        running = self.begin(is_look=True)
        if torch.is_grad_enabled():  # create_graph=True
            call.refused = (
                f"{call.name}: its backward pass is differentiated itself (create_graph=True), and the gradient then "
                "comes back along further ways"
            )
        if call.number not in running.calls:
            running.calls[call.number] = call
            call.gradients = {}  # a second pass through the same graph brings its own
        for place, name in names:
            if (gradient := gradients[place]) is not None:
                call.gradients[name] = gradient.detach()

    def arrived_at_weight(self, weight: int, gradient: Tensor) -> None:
        """The whole gradient of a weight. weight: its `id`."""
        self.begin(is_look=True).at_weights[weight] = gradient.detach().clone()  # for it may become `.grad` itself

    def _over(self, running: RunningPass) -> None:
        for call in running.calls.values():
            call.gradients = {}
        self._ended(running)
