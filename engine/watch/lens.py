"""The lens on somebody else's model: what it hears of a training that it does not know, and what it says of it."""

from __future__ import annotations

import warnings
import weakref
from types import TracebackType
from typing import Self

import torch
from torch import Tensor, nn

from engine.watch.backward_pass import BackwardPasses, RunningPass
from engine.watch.black_box import BlackBox
from engine.watch.call import Call
from engine.watch.events import Callback
from engine.watch.flow import Flow
from engine.watch.flows import MeasuredCall, add_direct_of_ends, chosen_rows, flow_of, groups_of, measure_calls
from engine.watch.guard import Guard
from engine.watch.history import History
from engine.watch.hooks import Hooks
from engine.watch.leftovers import Leftovers
from engine.watch.listener import Listener
from engine.watch.mistakes import Mistake, Mistakes
from engine.watch.modules import find
from engine.watch.proof import AtWeights, allowed, prove
from engine.watch.report import Report
from engine.watch.report_html import html
from engine.watch.report_text import written
from engine.watch.roots import Roots
from engine.watch.scalars import scalars_of
from engine.watch.scaler import Scaler
from engine.watch.schedule import Cost, Schedule
from engine.watch.states import StateLoops, States, flows_of_states

NOTHING_FOUND = (
    "The model has none of PyTorch's recurrent modules (nn.RNN, nn.GRU, nn.LSTM or their cells). In a hand-written "
    'loop call lens.state("h", h) at every step.'
)
HEARD_PASSES = 2
"""So many passes are heard of before the hooks are taken away: a missing detach shows in the second."""


class Lens:
    """Looks into a model while it is trained; made by `watch`.

    It changes nothing: the training is the same to the last bit. What it cannot measure exactly it refuses, with a
    sentence in `refusals`; an error of its own never reaches the training. Use it as a context manager, or close it.

    Attributes:
        mistakes: classic mistakes in the wiring that were found so far, and that no later look has contradicted.
    """

    def __init__(
        self, model: nn.Module | None, share: float, every: int | None, rows: int | None, scaler: Scaler | None
    ) -> None:
        """model: None for every model that is called from now on."""
        if rows is not None and rows < 1:
            raise ValueError(f"rows is {rows}: a number of sequences, 1 or more, or None for all is expected")
        self._model = None if model is None else weakref.ref(model)
        self._modules, refused = ({}, {}) if model is None else find(model)
        self._schedule, self._history = Schedule(share, every), History()
        self._guard = Guard(self._schedule.own_time)
        self._guard.refusals |= refused
        if model is not None and not self._modules and not refused:
            self._guard.refusals["*"] = NOTHING_FOUND
        self._rows, self._scaler, self._closed = rows, scaler, False
        self._flows: dict[str, Flow] = {}
        self._failed: dict[str, str] = {}
        self._proved: dict[str, float] = {}
        self._mistakes = Mistakes()
        self._passes = BackwardPasses(self._guard, self._measure, self._ended)
        self._states = StateLoops(self._passes, self._guard)
        self._leftovers = Leftovers(self._modules, self._mistakes)
        began = self._leftovers.pass_began
        self._listener = Listener(self._modules, self._schedule, self._passes, self._guard, self._mistakes, began)
        self._hooks = Hooks(self._listener.before, self._listener.after, self._guard.hook("*", self._updated))
        self._roots = Roots(self._modules, self._guard, self._found) if model is None else None
        if self._roots is not None:
            self._hooks.any_module = self._roots.called
        if self._modules or self._roots is not None:
            self._hooks.arm()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(warn=kind is None)

    def close(self, *, warn: bool = True) -> None:
        """Stop watching. What was found stays.

        Args:
            warn: warn of modules of which nothing was ever seen; `refusals` has the same sentences.
        """
        if self._closed:
            return
        self._closed = True
        said: dict[str, str] = {}
        with self._guard.of("*"):
            self._hooks.close()
            self._states.pass_ended()
            self._history.closed(self._modules.values())
            never_seen = self._listener.never_seen()
            self._listener.closed()
            self._guard.refusals |= never_seen
            said = {"*": NOTHING_FOUND} if NOTHING_FOUND in self._guard.refusals.values() else {}
            said |= never_seen
        for sentence in said.values():
            if warn:
                warnings.warn(sentence, UserWarning, stacklevel=2)

    # ---- what it hears

    def _found(self) -> None:
        """There are more modules than before."""
        self._hooks.hear(self._listener.before, self._listener.after)

    def state(self, name: str, state: Tensor) -> Tensor:
        """Show one state of a hand-written loop, at every step, in order. In evaluation mode nothing is kept.

        Args:
            name: under which `flow(name)` then has dL/dh_t. Its time axis are the states to which a gradient came, in
                the order in which they were shown. state: (B, units) or (units,).

        Returns:
            The same tensor.
        """
        with self._guard.of(name):
            model = None if self._model is None else self._model()
            if model is not None and model.training and not self._closed and torch.is_grad_enabled():
                self._states.show(name, state, is_look=self._schedule.is_due())
        return state

    def _updated(self, optimizer: torch.optim.Optimizer) -> None:
        """An update was made: hear of calls until the next one, or do not."""
        armed, wanted = self._hooks.armed, self._wanted()
        self._hooks.arm(wanted)
        if armed or wanted:
            self._leftovers.updated(optimizer)

    def _wanted(self) -> bool:
        """Whether calls are to be heard of after an update."""
        schedule = self._schedule
        if self._closed:
            return False
        if not self._modules:
            return self._roots is not None
        return not schedule.by_time or schedule.passes < HEARD_PASSES or schedule.would_be_due()

    def _measure(self, running: RunningPass) -> None:
        """A backward pass is over: measure it, if it was kept."""
        if not self._closed:
            calls = [running.calls[number] for number in sorted(running.calls)]
            if self._look(calls, running.states, running.at_weights):
                self._history.looked(self._schedule.passes, calls, self._flows, is_scaled=self._scale != 1)
            self._mistakes.judge(calls)

    @property
    def _scale(self) -> float:
        """By what the loss is multiplied."""
        return 1.0 if self._scaler is None else float(self._scaler.get_scale())

    def _ended(self, running: RunningPass) -> None:
        """Count it, whether or not measuring succeeded: a look that fails has its cost, too."""
        if not self._closed:
            self._schedule.pass_ended(running.is_look)
            self._listener.pass_ended()
            self._leftovers.pass_ended()
            self._states.pass_ended()
            if running.is_look:
                self._history.events.looked(self._flows, self.mistakes)

    @torch.no_grad()
    def _look(self, calls: list[Call], states: States, at_weights: AtWeights) -> bool:
        scale, number = self._scale, self._schedule.passes
        flows, refused = flows_of_states(states, self._rows, number, scale)
        if states and self._guard.refusals.get("*") == NOTHING_FOUND:
            del self._guard.refusals["*"]
        if not calls and not states:
            return False
        rows = chosen_rows(calls, self._rows)
        found, reasons = measure_calls(calls, rows)
        refused |= reasons
        add_direct_of_ends(found, calls)
        if self._schedule.proves:
            self._prove(calls, refused, at_weights, found)
        for name in dict.fromkeys(call.name for call in calls):
            if name in refused or name in self._failed:
                continue
            own = [one for one in found if one.call.name == name]
            flows[name] = flow_of(name, own, rows[name], number, scale, self._proved.get(name))
        for name in flows:
            self._guard.refusals.pop(name, None)
        self._guard.refusals |= {**refused, **self._failed}
        self._flows = {**{name: flow for name, flow in self._flows.items() if name not in refused}, **flows}
        for name in self._failed:
            self._flows.pop(name, None)
        return True

    def _prove(
        self, calls: list[Call], refused: dict[str, str], at_weights: AtWeights, found: list[MeasuredCall]
    ) -> None:
        """Prove what was measured. A proof that fails refuses the module until one succeeds."""
        shares = {id(weight) for call in calls if call.name in refused for weight in call.weights}
        provable = [call for call in calls if not any(id(weight) in shares for weight in call.weights)]
        parts = {one.call.number for one in found if not one.is_whole}
        known = {one.call.number: one.sweep for one in found}
        groups = groups_of(provable)
        whole = [group[0].number for group in groups if not any(call.number in parts for call in group)]
        proofs = prove(groups, at_weights, {number: known[number] for number in whole})
        limits = {call.name: allowed(call) for call in provable}
        for name, difference in proofs.items():
            self._failed.pop(name, None)
            self._proved[name] = difference
            if not difference <= limits[name]:
                self._failed[name] = (
                    f"{name}: dL/dW from its states is not what autograd brought to its weights: they differ by "
                    f"{difference:.1e} of its norm. Its weights are used elsewhere as well, or it does not compute "
                    "what PyTorch's own module computes."
                )

    # ---- what it says

    def flow(self, name: str | None = None) -> Flow:
        """The states and gradients of one module in the last backward pass that was looked at.

        Args:
            name: as in `named_modules()`, or its end; not needed if there is only one.

        Raises:
            LookupError: if there is none of this name, with the reason.
        """
        if name is None:
            names = list(self._flows)
        else:
            names = [name] if name in self._flows else [each for each in self._flows if each.endswith("." + name)]
        if len(names) == 1:
            return self._flows[names[0]]
        if names:
            raise LookupError(f"say which module: {', '.join(names)}")
        reasons = self.refusals if name is None else {k: v for k, v in self.refusals.items() if k in (name, "*")}
        why = " ".join(reasons.values()) or "No backward pass has been looked at yet."
        raise LookupError(f"there is no flow{'' if name is None else f' of {name}'}. {why}")

    @property
    def flows(self) -> dict[str, Flow]:
        """The newest flow of every module, by name."""
        return dict(self._flows)

    @property
    def refusals(self) -> dict[str, str]:
        """Why something is not measured, by module; "*" for the whole model."""
        return dict(self._guard.refusals)

    @property
    def mistakes(self) -> list[Mistake]:
        """Classic mistakes in the wiring that were found so far, and that no later look has contradicted."""
        return self._mistakes.found

    @property
    def cost(self) -> Cost:
        """The lens's own time so far."""
        return self._schedule.cost

    @property
    def black_box(self) -> BlackBox:
        """The last looks as small numbers, and what came first when one was no longer finite."""
        return self._history.black_box

    def on(self, kind: str, callback: Callback) -> None:
        """Be told when a look first finds something of a module, once for each module.

            lens.on("vanished", print)

        Args:
            kind: of a verdict ("vanished", "exploding", "not finite", ...) or of a mistake ("missing detach", ...), as
                in `engine.watch.events.KINDS`; "any" of them; or "change": every verdict that is not the module's last
                one, and every mistake once.
            callback: gets a `Finding`: kind, module and sentence. It is called at the end of the backward pass. An
                error in it does not end the training: it becomes a warning, once.

        Raises:
            ValueError: if there is no such kind.
        """
        self._history.events.on(kind, callback)

    def scalars(self) -> dict[str, float]:
        """Flat numbers of the newest looks, {"watch/lstm/ratio": ...}, as loggers take them."""
        return scalars_of(self._flows, self.cost)

    @property
    def _report(self) -> Report:
        kept = self._history
        return Report(self._flows, self.mistakes, self.refusals, self.cost, kept.black_box, kept.recurrent_weights)

    def __str__(self) -> str:
        return written(self._report)

    def _repr_html_(self) -> str:
        return html(self._report)


def watch(
    model: nn.Module,
    *,
    share: float = 0.05,
    every: int | None = None,
    rows: int | None = 16,
    scaler: Scaler | None = None,
) -> Lens:
    """Look into a PyTorch model while somebody trains it: exact dL/dh_t and dL/dc_t of their loss.

        with watch(model) as lens:
            ...  # the training, unchanged
        print(lens)

    Args:
        share: the largest share of the time that looks may take; a first look is always taken.
        every: look at every so many backward passes instead.
        rows: at most so many sequences of a batch are looked at, evenly spaced; None for all. Each is exact.
        scaler: the training's `torch.amp.GradScaler`, whose factor is then taken out of the gradients.

    Raises:
        ValueError: if an argument is out of range.
    """
    return Lens(model, share, every, rows, scaler)
