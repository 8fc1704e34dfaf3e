"""What is heard of the calls of watched modules: kept where a look is due, else only how they are linked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from engine.recording.growing import WHOLE_MODEL
from engine.watch.backward_pass import BackwardPasses
from engine.watch.call import Call, arguments_of, captured, results_of, states_of
from engine.watch.guard import Guard
from engine.watch.hooks import Heard
from engine.watch.layout import data_of
from engine.watch.mistakes import HeardCall, Mistakes, broken_loop, missing_detach
from engine.watch.modules import WatchedModule
from engine.watch.refusal import RefusalError, refuse_empty
from engine.watch.schedule import Schedule
from engine.watch.wiring import (
    Arrived,
    Link,
    Mark,
    Origin,
    link_of_state,
    link_to_call,
    mark,
    metadata_of,
    on_gradient,
    reaches,
)

FIRST_CALLS = 2
"""So many calls of a module in each pass have the way to their input searched; the others are linked alike."""


class Listener:
    """Hears of calls through the hooks `before` and `after`, and hooks their results.

    The only strong reference to a kept call is in the hook of its own results: a forward call that is never followed by
    a backward pass leaves nothing behind.

    Attributes:
        key: of this lens's marks in the graph.
        called: how often each module was called with a gradient to come. answered: the modules whose gradient came.
    """

    def __init__(
        self,
        modules: dict[int, WatchedModule],
        schedule: Schedule,
        passes: BackwardPasses,
        guard: Guard,
        mistakes: Mistakes,
        pass_began: Callable[[], None],
    ) -> None:
        self._modules, self._schedule, self._passes, self._guard = modules, schedule, passes, guard
        self._mistakes, self._pass_began = mistakes, pass_began
        self._number = 0
        self._random_states: dict[int, Tensor] = {}
        self._last: dict[str, Tensor] = {}
        self.key = object()
        self.called: dict[str, int] = {}
        self.answered: set[str] = set()
        self._in_pass: dict[str, int] = {}
        self._answered_in_pass: set[str] = set()
        self._calls: dict[str, list[HeardCall]] = {}
        self._loop_hooks: dict[str, tuple[Mark, Arrived]] = {}
        self._weight_hooks: list[Any] = []
        self._pass = object()  # the one to come

    def never_seen(self) -> dict[str, str]:
        """The modules of which no look was possible, and why, as far as nothing else was said of them."""
        found = {}
        for watched in self._modules.values():
            name = watched.name
            if name in self._guard.refusals or name in self.answered:
                continue
            count = self.called.get(name, 0)
            times = "once" if count == 1 else f"{count} times"
            found[name] = (
                f"{name} was called {times}, but no gradient ever came back to it: nothing that the loss depends on "
                "reads its output."
                if count
                else f"{name} was found in the model, but never called with gradients enabled while it was watched. (A "
                f"direct {name}.forward(x) is seen by no hook, nor is a call in code that was compiled before: call "
                f"{name}(x).)"
            )
        return found

    def pass_ended(self) -> None:
        """A backward pass is over: the next call is its module's first."""
        for name in self._answered_in_pass:
            self._mistakes.add(broken_loop, name, [broken_loop(name, self._calls.get(name, []))])
        self._in_pass, self._answered_in_pass, self._calls, self._loop_hooks = {}, set(), {}, {}
        for handle in self._weight_hooks:
            handle.remove()
        self._weight_hooks, self._pass = [], object()

    def closed(self) -> None:
        """Nothing more is to come: let go of all tensors."""
        self.pass_ended()
        self._last, self._random_states = {}, {}

    @property
    def before(self) -> Heard:
        """What to call before a module's call, with the module."""
        return self._guarded(self._begins)

    @property
    def after(self) -> Heard:
        """What to call after it, with (module, args, kwargs, result)."""
        return self._guarded(self._heard)

    def _guarded(self, run: Callable[..., None]) -> Heard:
        return {key: self._guard.hook(each.name, partial(run, each)) for key, each in self._modules.items()}

    def _begins(self, watched: WatchedModule, module: nn.Module) -> None:
        """Keep torch's random state where dropout acts between layers."""
        if watched.one_step or watched.module() is not module or not torch.is_grad_enabled():
            return
        if module.training and module.dropout and module.num_layers > 1 and self._schedule.is_due():  # type: ignore[operator]
            self._random_states[id(module)] = torch.get_rng_state()

    def _heard(
        self, watched: WatchedModule, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
    ) -> None:
        name = watched.name
        random_state = self._random_states.pop(id(module), None)
        if watched.module() is not module or not torch.is_grad_enabled():
            return
        _refuse_captured(name)
        due = self._schedule.is_due()
        if watched.one_step and not due and name in self._loop_hooks:
            self._heard_again(name, states_of(result)[0])
            return
        output, states = results_of(watched, result)
        if not isinstance(data_of(output), Tensor) or not data_of(output).requires_grad:
            return
        given, initial = arguments_of(name, args, kwargs)
        _refuse_functional(name, data_of(given), *states)
        self.called[name] = self.called.get(name, 0) + 1
        self._number += 1
        earlier = self._in_pass[name] = self._in_pass.get(name, 0) + 1
        origin = Origin(name, self._number)
        state_link = link_of_state(initial, self._last.get(name), self.key) if due or earlier == 1 else None
        self._last[name] = states[0].detach()
        results = {} if watched.one_step else {"output": data_of(output)}
        results |= dict(zip(("h", "c"), states, strict=False))
        for which, tensor in results.items():
            mark(tensor, self.key, Mark(origin, which))
        if not due:
            hook = self._counter(origin, state_link, is_look=False)
            on_gradient(results, lambda _: hook)
            self._loop_hooks[name] = Mark(origin, "h"), hook
            return
        try:
            refuse_empty(name, states[0].shape[-2] if states[0].dim() > 1 else 1)
            call = captured(watched, module, self._number, given, initial, output)
            call.state_link, call.random_state = state_link, random_state if call.output.device.type == "cpu" else None
            self._link(call, earlier, data_of(given), states)
            self._hook(call, origin, results)
        except Exception:  # a look that fails is one, too: else it would be tried for ever
            on_gradient(results, lambda _: self._counter(origin, state_link, is_look=True))
            raise

    def _link(self, call: Call, earlier: int, given: Tensor, states: tuple[Tensor, ...]) -> None:
        """Find out how a call is linked to others. earlier: calls of its module in this pass, with this one."""
        if call.state_link is not None:
            self._calls.setdefault(call.name, []).append(HeardCall(len(call.inputs), call.state_link.kind))
        call.input_link = link_to_call(given, self.key) if earlier <= FIRST_CALLS else None
        if call.one_step and len(states) > 1:
            h, c = (state.grad_fn for state in states)
            call.hook_has_hidden = h is not c and reaches(h, c, 3)  # one fused node: what comes at c' is external

    def _heard_again(self, name: str, hidden: Tensor) -> None:
        """A further call of a loop that is not looked at: quickly, for cells are called often."""
        if hidden.grad_fn is not None:
            value, hook = self._loop_hooks[name]
            mark(hidden, self.key, value)
            hidden.grad_fn.register_prehook(hook)

    def _hook(self, call: Call, origin: Origin, results: dict[str, Tensor]) -> None:
        """Hook the results of a call, and its weights if it is to be proved."""

        def arrived(names: list[tuple[int, str]]) -> Arrived:
            def hook(gradients: tuple[Tensor | None, ...]) -> None:
                self._came_back(origin, call.state_link)
                self._passes.arrived(call, names, gradients)

            return self._guard.hook(call.name, hook)

        on_gradient(results, arrived)
        if self._schedule.proves:
            for weight in call.weights:
                if weight.requires_grad:
                    self._hook_weight(weight)

    def _hook_weight(self, weight: Tensor) -> None:
        """Hook what autograd brings to a weight in this pass, once: a node of a parameter can outlive its graph."""
        node, number = torch.autograd.graph.get_gradient_edge(weight)[:2]
        mark_of = (self.key, "weight", number)
        if metadata_of(node).get(mark_of) is self._pass:
            return
        metadata_of(node)[mark_of] = self._pass
        key = id(weight)

        def hook(gradients: tuple[Tensor | None, ...]) -> None:
            if (gradient := gradients[number]) is not None:
                self._passes.arrived_at_weight(key, gradient)

        self._weight_hooks.append(node.register_prehook(self._guard.hook(WHOLE_MODEL, hook)))

    def _came_back(self, origin: Origin, state: Link | None) -> None:
        """A gradient has come to a call. state: where its initial state comes from."""
        if not self._answered_in_pass:
            self._pass_began()
        origin.is_spent = True
        self.answered.add(origin.module)
        self._answered_in_pass.add(origin.module)
        self._mistakes.add(missing_detach, origin.module, [missing_detach(origin.module, state)])

    def _counter(self, origin: Origin, state: Link | None, *, is_look: bool) -> Arrived:
        """A hook that counts the pass, where nothing is kept of a call."""

        def hook(gradients: tuple[Tensor | None, ...]) -> None:
            if not origin.is_spent:
                self._came_back(origin, state)
                self._passes.begin(is_look=is_look)

        return self._guard.hook(origin.module, hook)


def _refuse_captured(name: str) -> None:
    """Refuse a call that is made once and then replayed, unseen by hooks."""
    if torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing():
        raise RefusalError(f"{name} is called in a CUDA graph, whose replays no hook sees")
    if torch.compiler.is_compiling():
        raise RefusalError(
            f"{name} is called in compiled code, where its states do not exist. Compile around the loop."
        )


def _refuse_functional(name: str, *tensors: Tensor) -> None:
    """Refuse a call within a transform of torch.func."""
    if any(torch._C._functorch.is_functorch_wrapped_tensor(tensor) for tensor in tensors):
        raise RefusalError(f"{name} is called within torch.func, whose gradients do not come back along the graph")
