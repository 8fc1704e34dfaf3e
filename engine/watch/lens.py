"""The lens on somebody else's model: what it hears of a training that it does not know, and what it says of it."""

from __future__ import annotations

import warnings
import weakref
from dataclasses import replace
from types import TracebackType
from typing import Protocol, Self

import torch
from torch import Tensor, nn

from engine.frame import Chain, Diagnosis, Look
from engine.watch.backward_pass import BackwardPasses, RunningPass
from engine.watch.call import Call
from engine.watch.diagnosis import unread
from engine.watch.flow import Flow
from engine.watch.flows import MeasuredCall, add_direct_of_ends, chosen_rows, flow_of, groups_of, measure_calls
from engine.watch.guard import Guard
from engine.watch.hooks import Hooks
from engine.watch.kept import kept_of
from engine.watch.listener import Listener
from engine.watch.looks import ModuleLook
from engine.watch.loop_looks import LoopLook
from engine.watch.mistakes import Mistake, mistakes_of
from engine.watch.modules import WatchedModule, find
from engine.watch.proof import AtWeights, allowed, prove
from engine.watch.recorder import Recorded
from engine.watch.report import Report, scalars_of, written
from engine.watch.schedule import Cost, Schedule
from engine.watch.states import StateLoops, States, flows_of_states

NOTHING_FOUND = (
    "The model has none of PyTorch's recurrent modules (nn.RNN, nn.GRU, nn.LSTM or their cells). In a hand-written "
    'loop call lens.state("h", h) at every step.'
)
HEARD_PASSES = 2
"""So many passes are heard of before the hooks are taken away: a missing detach shows in the second."""


class Scaler(Protocol):
    """What is needed of a `torch.amp.GradScaler`."""

    def get_scale(self) -> float:
        """By what the loss is multiplied."""


class Lens(Recorded):
    """Looks into a model while it is trained; made by `watch`.

    It changes nothing: the training is the same to the last bit. What it cannot measure exactly it refuses, with a
    sentence in `refusals`; an error of its own never reaches the training. Use it as a context manager, or close it.

    Attributes:
        mistakes: classic mistakes in the wiring that were found so far.
    """

    def __init__(
        self, model: nn.Module, share: float, every: int | None, rows: int | None, scaler: Scaler | None
    ) -> None:
        if rows is not None and rows < 1:
            raise ValueError(f"rows is {rows}: a number of sequences, 1 or more, or None for all is expected")
        self._model = weakref.ref(model)
        self._modules, refused = find(model)
        self._schedule = Schedule(share, every)
        super().__init__(Guard(self._schedule.own_time))
        self._guard.refusals |= refused
        if not self._modules and not refused:
            self._guard.refusals["*"] = NOTHING_FOUND
        self._rows, self._scaler, self._closed = rows, scaler, False
        self._flows: dict[str, Flow] = {}
        self._looks: dict[str, ModuleLook | LoopLook] = {}
        self._failed: dict[str, str] = {}
        self._proved: dict[str, float] = {}
        self._mistakes: dict[tuple[str, str], Mistake] = {}
        self._passes = BackwardPasses(self._guard, self._measure, self._ended)
        self._states = StateLoops(self._passes, self._guard)
        self._listener = Listener(self._modules, self._schedule, self._passes, self._guard)
        stepped = self._guard.hook("*", lambda: self._hooks.arm(self._wanted()))
        self._hooks = Hooks(self._listener.before, self._listener.after, stepped)
        if self._modules:
            self._hooks.arm()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close(warn=kind is None)

    def close(self) -> None:
        """Stop watching. What was found stays. Warns of modules of which nothing was ever seen."""
        self._close(warn=True)

    def _close(self, warn: bool) -> None:
        if self._closed:
            return
        self._closed = True
        said: dict[str, str] = {}
        with self._guard.of("*"):
            self._hooks.close()
            self._states.pass_ended()
            self._listener.closed()
            never_seen = self._never_seen()
            self._guard.refusals |= never_seen
            said = {"*": NOTHING_FOUND} if NOTHING_FOUND in self._guard.refusals.values() else {}
            said |= never_seen
            self._stop_recording(self._schedule.passes)
        for sentence in said.values():
            if warn:
                warnings.warn(sentence, UserWarning, stacklevel=3)

    def _never_seen(self) -> dict[str, str]:
        """The modules of which no look was possible, and why, as far as nothing else was said of them."""
        found, listener = {}, self._listener
        for watched in self._modules.values():
            name = watched.name
            if name in self._guard.refusals or name in listener.answered:
                continue
            count = listener.called.get(name, 0)
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

    # ---- what it hears

    def state(self, name: str, state: Tensor) -> Tensor:
        """Show one state of a hand-written loop, at every step, in order. In evaluation mode nothing is kept.

        Args:
            name: under which `flow(name)` then has dL/dh_t. Its time axis are the states to which a gradient came, in
                the order in which they were shown. state: (B, units) or (units,).

        Returns:
            The same tensor.
        """
        with self._guard.of(name):
            model = self._model()
            if model is not None and model.training and not self._closed and torch.is_grad_enabled():
                self._states.show(name, state, is_look=self._schedule.is_due())
        return state

    def _wanted(self) -> bool:
        """Whether calls are to be heard of after an update."""
        schedule = self._schedule
        if not self._modules or self._closed:
            return False
        return not schedule.by_time or schedule.passes < HEARD_PASSES or schedule.would_be_due()

    def _measure(self, running: RunningPass) -> None:
        """A backward pass is over: measure it, if it was kept."""
        if not self._closed:
            calls = [running.calls[number] for number in sorted(running.calls)]
            self._look(calls, running.states, running.at_weights)
            self._record(self._schedule.passes)

    def _ended(self, running: RunningPass) -> None:
        """Count it, whether or not measuring succeeded: a look that fails has its cost, too."""
        if not self._closed:
            self._schedule.pass_ended(running.is_look)
            self._listener.pass_ended()
            self._states.pass_ended()

    @torch.no_grad()
    def _look(self, calls: list[Call], states: States, at_weights: AtWeights) -> None:
        scale = 1.0 if self._scaler is None else float(self._scaler.get_scale())
        number = self._schedule.passes
        flows, refused = flows_of_states(states, self._rows, number, scale)
        self._looks |= {name: LoopLook(flow) for name, flow in flows.items()}
        if states and self._guard.refusals.get("*") == NOTHING_FOUND:
            del self._guard.refusals["*"]
        if not calls and not states:
            return
        rows = chosen_rows(calls, self._rows)
        found, reasons = measure_calls(calls, rows)
        refused |= reasons
        add_direct_of_ends(found, calls)
        if self._schedule.proves:
            self._prove(calls, refused, at_weights, found)
            self._mistakes |= {(mistake.kind, mistake.module): mistake for mistake in mistakes_of(calls)}
        for name in dict.fromkeys(call.name for call in calls):
            if name in refused or name in self._failed:
                continue
            own = [one for one in found if one.call.name == name]
            flows[name] = flow = flow_of(name, own, rows[name], number, scale, self._proved.get(name))
            self._looks[name] = ModuleLook(flow, kept_of(own, flow, scale), self._module(name))
        for name in flows:
            self._guard.refusals.pop(name, None)
        self._guard.refusals |= {**refused, **self._failed}
        self._flows = {**{name: flow for name, flow in self._flows.items() if name not in refused}, **flows}
        for name in self._failed:
            self._flows.pop(name, None)

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

    def chain(self, name: str | None = None) -> Chain:
        """The states of one module along the time axis, as figures and stage read them; name: as for `flow`.

        The drawn sequence is the longest of those that were looked at. Raises as `flow` does.
        """
        return self._looked_at(name).chain

    def frame(self, name: str | None = None) -> Look:
        """What the last look measured of one module, as a frame of our own runs has it; name: as for `flow`.

        It is computed now, from what was kept of the look: of one sequence the states, gates and gradients with a copy
        of the weights, of the others the norms. Raises as `flow` does.
        """
        looked_at = self._looked_at(name)
        return replace(looked_at.look, diagnosis=looked_at.diagnosis(self._mistakes_of(looked_at.flow.name)))

    def diagnosis(self, name: str | None = None) -> Diagnosis:
        """The verdict on one module: a sentence, the numbers behind it, and what to write; name: as for `flow`.

        Raises as `flow` does, but not for a module that was called and of which no gradient ever came back.
        """
        if name in self._unread():
            return unread(name)
        looked_at = self._looked_at(name)
        return looked_at.diagnosis(self._mistakes_of(looked_at.flow.name))

    def _looked_at(self, name: str | None) -> ModuleLook | LoopLook:
        return self._looks[self.flow(name).name]

    def _module(self, name: str) -> WatchedModule:
        return next(watched for watched in self._modules.values() if watched.name == name)

    def _mistakes_of(self, name: str) -> list[Mistake]:
        return [mistake for mistake in self.mistakes if mistake.module == name]

    def _unread(self) -> set[str]:
        """The modules that were called in a pass that is over, and of which no gradient came back."""
        over = self._schedule.passes or self._closed
        return {name for name in self._listener.called if over and name not in self._listener.answered}

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
        """Classic mistakes in the wiring that were found so far."""
        return list((self._mistakes | self._listener.mistakes).values())

    @property
    def cost(self) -> Cost:
        """The lens's own time so far."""
        return self._schedule.cost

    def scalars(self) -> dict[str, float]:
        """Flat numbers of the newest looks, {"watch/lstm/ratio": ...}, as loggers take them."""
        return scalars_of(self._flows, self.cost)

    def __str__(self) -> str:
        return written(Report(self._flows, self.mistakes, self.refusals, self.cost))


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
