"""The lens on somebody else's model: what it hears of a training that it does not know, and what it says of it."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Collection
from dataclasses import replace
from types import TracebackType
from typing import Self

import torch
from torch import Tensor, nn

from engine.frame import Chain, Diagnosis, Look
from engine.recording.growing import WHOLE_MODEL
from engine.watch.arguments import check_callback, check_choices, check_name, check_requested, check_state
from engine.watch.backward_pass import BackwardPasses, RunningPass
from engine.watch.black_box import BlackBox, BlackBoxRecorder
from engine.watch.diagnosis import unread
from engine.watch.events import Callback, Events
from engine.watch.flow import Flow
from engine.watch.guard import Guard, without_own_frames
from engine.watch.hearing import Hearing
from engine.watch.leftovers import Leftovers
from engine.watch.listener import Listener
from engine.watch.looking import NOTHING_FOUND, Looking
from engine.watch.looks import ModuleLook
from engine.watch.loop_looks import LoopLook
from engine.watch.losses import Losses
from engine.watch.mistakes import Mistake, Mistakes
from engine.watch.modules import find
from engine.watch.recorder import Recorded
from engine.watch.report import Report
from engine.watch.report_html import html
from engine.watch.report_text import written
from engine.watch.roots import Roots
from engine.watch.scalars import scalars_of
from engine.watch.scaler import Scaler
from engine.watch.schedule import Cost, Schedule
from engine.watch.states import StateLoops
from engine.watch.surroundings import measuring, on_cpu
from engine.watch.tally import Tally

NO_LOOK = "{name}: backward passes went through it, but none of them has been looked at. every=1 looks at each."
NO_GRADIENT = "{name}: states were shown, but no gradient ever came back to them."


class Lens(Recorded):
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
        check_choices(share, every, rows, scaler)
        self._model = None if model is None else weakref.ref(model)
        self._modules, refused = ({}, {}) if model is None else find(model)
        self._schedule, self._events, self._last_looks = Schedule(share, every), Events(), BlackBoxRecorder()
        super().__init__(Guard(self._schedule.own_time))
        self._guard.refusals |= refused
        if model is not None and not self._modules and not refused:
            self._guard.refusals[WHOLE_MODEL] = NOTHING_FOUND
        self._scaler = scaler
        self._loss: float | None = None
        self._looking, self._mistakes = Looking(self._modules, rows, self._guard), Mistakes()
        self._tally = Tally(self._schedule, self._guard)
        self._passes = BackwardPasses(self._guard, self._tally, self._measure, self._ended)
        self._states = StateLoops(self._passes, self._guard, self._schedule, self._tally)
        self._leftovers = Leftovers(self._modules, self._mistakes)
        began = self._leftovers.pass_began
        self._listener = Listener(self._modules, self._schedule, self._passes, self._guard, self._mistakes, began)
        self._losses = Losses(self._guard)
        roots = Roots(self._modules, self._guard, self._found) if model is None else None
        self._roots, any_module = roots, None if roots is None else roots.called
        heard = self._listener, self._leftovers, self._schedule, self._guard, self._tally.passed
        self._hearing = Hearing(self._modules, any_module, *heard)
        self._count_at_parameters()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.cut_short(error)
            without_own_frames(trace)
        self._close(warn=kind is None)

    def close(self, *, warn: bool = True) -> None:
        """Stop watching. What was found stays.

        Args:
            warn: warn of modules of which nothing was ever seen; `refusals` has the same sentences.
        """
        self._close(warn)

    def _close(self, warn: bool) -> None:
        if self._closed:
            return
        self._closed = True
        said: dict[str, str] = {}
        with self._guard.of(WHOLE_MODEL):
            self._hearing.close()
            self._losses.close()
            self._tally.close()
            self._states.pass_ended()
            self._last_looks.closed(self._modules.values())
            self._guard.refusals |= (missed := self._missed())
            self._guard.refusals |= (never_seen := self._listener.never_seen())
            self._listener.closed()
            said = {WHOLE_MODEL: NOTHING_FOUND} if NOTHING_FOUND in self._guard.refusals.values() else {}
            said |= missed | never_seen
            self._stop_recording(self._schedule.passes)
        for sentence in said.values():
            if warn:
                warnings.warn(sentence, UserWarning, stacklevel=3)

    # ---- what it hears

    def _found(self) -> None:
        """There are more modules than before."""
        self._hearing.grown()
        self._count_at_parameters()

    def _count_at_parameters(self) -> None:
        """Count the passes that reach a module, also while its calls are not heard of."""
        for watched in self._modules.values():
            module = watched.module()
            self._tally.follow(watched.name, () if module is None else module.parameters())

    @property
    def has_heard(self) -> bool:
        """Whether a model was called with gradients enabled; True for a lens on a model that was given to it."""
        return self._roots is None or self._roots.any_called

    def state(self, name: str, state: Tensor) -> Tensor:
        """Show one state of a hand-written loop, at every step, in order. In evaluation mode nothing is kept.

        Args:
            name: under which `flow(name)` then has dL/dh_t. Its time axis are the states to which a gradient came, in
                the order in which they were shown. state: (B, units) or (units,).

        Returns:
            The same tensor.

        Raises:
            TypeError, ValueError: if it is no such tensor, as the pair (h, c).
        """
        if name not in self._schedule.resting:  # loops call this often
            check_state(name, state)
            with self._guard.of(name):
                model = None if self._model is None or self._states.rests(name) else self._model()
                if model is not None and model.training and not self._closed and torch.is_grad_enabled():
                    self._states.show(name, state, {id(parameter) for parameter in model.parameters()})
        return state

    @measuring
    def _measure(self, running: RunningPass) -> None:
        """A backward pass is over: measure it, if it was kept."""
        if not self._closed:
            calls = [running.calls[number] for number in sorted(running.calls)]
            number, scale, proves = running.counted.number, self._scale, self._schedule.proves
            kept = (calls, running.states, running.at_weights)
            with self._schedule.device_time(running.device):
                if self._looking.look(*kept, number=number, scale=scale, proves=proves):
                    self._loss = self._losses.divided_by(scale)
                    self._last_looks.looked(number, calls, self._looking.looks, self._loss, is_scaled=scale != 1)
                self._mistakes.judge(calls, self._losses.scalars)
            if running.is_look:
                self._record(number)

    @property
    def _scale(self) -> float:
        """By what the loss is multiplied."""
        return 1.0 if self._scaler is None else float(self._scaler.get_scale())

    def _ended(self, running: RunningPass) -> None:
        """Count it, whether or not measuring succeeded: a look that fails has its cost, too."""
        if not self._closed:
            self._schedule.pass_ended(running.is_look)
            self._schedule.always_reached &= bool(running.counted.reached)
            self._listener.pass_ended()
            self._hearing.pass_ended()
            self._leftovers.pass_ended()
            self._states.pass_ended()
            if running.is_look:
                self._looked(running)
                self._events.looked(self._looking.looks, self.mistakes)

    def _looked(self, running: RunningPass) -> None:
        """A look was taken, or has failed."""
        self._schedule.last = running.counted.number
        self._tally.looked(running.counted)
        self._states.looked(running.states.keys(), running.counted)
        self._count_at_parameters()  # a parameter can be frozen, or replaced

    def _missed(self) -> dict[str, str]:
        """What was trained without a look so far, as refusals."""
        if self._guard.refusals.get(WHOLE_MODEL, NOTHING_FOUND) != NOTHING_FOUND:
            return {}  # it is said why
        known = {*self._looking.looks, *self._guard.refusals}
        unheard = () if self._schedule.listens_always else filter(self._tally.is_owed, self._tally.reached)
        trained = {*unheard, *self._listener.answered}
        missed = {name: NO_GRADIENT.format(name=name) for name in self._states.waiting() if name not in known}
        return missed | {name: NO_LOOK.format(name=name) for name in sorted(trained) if name not in known}

    # ---- what it says

    def flow(self, name: str | None = None) -> Flow:
        """The states and gradients of one module in the last backward pass that was looked at.

        Args:
            name: as in `named_modules()`, or its end; not needed if there is only one.

        Raises:
            LookupError: if there is none of this name, with the reason.
        """
        return self._look(name).flow

    @on_cpu
    def chain(self, name: str | None = None) -> Chain:
        """The states of one module along the time axis, as figures and stage read them; name: as for `flow`.

        The drawn sequence is the longest of those that were looked at. Raises as `flow` does.
        """
        return self._look(name).chain

    @on_cpu
    def frame(self, name: str | None = None, requested: Collection[str] = ()) -> Look:
        """What the last look measured of one module, as a frame of our own runs has it; name: as for `flow`.

        It is computed now, from what was kept of the look: of one sequence the states, gates and gradients with a copy
        of the weights, of the others the norms. Raises as `flow` does.

        Args:
            requested: readings that cost more, "spectrum" or "terms:LAYER:DIRECTION" (see
                `engine.frame.reading_request`). What the module does not have stays None.

        Raises:
            TypeError, ValueError: if there is no such reading.
        """
        check_requested(requested)
        looked_at = self._look(name)
        readings = looked_at.on_demand(requested)
        return replace(looked_at.look, diagnosis=looked_at.diagnosis(self.mistakes), **readings)

    @on_cpu
    def diagnosis(self, name: str | None = None) -> Diagnosis:
        """The verdict on one module: a sentence, the numbers behind it, and what to write; name: as for `flow`.

        Raises as `flow` does, but not for a module that was called and of which no gradient ever came back.
        """
        if name is not None:
            check_name(name)
        if name in self._unread():
            return unread(name)
        return self._look(name).diagnosis(self.mistakes)

    def _unread(self) -> set[str]:
        """The modules that were called in a pass that is over, and of which no gradient came back."""
        over = self._schedule.passes or self._closed
        return {name for name in self._listener.called if over and name not in self._listener.answered}

    def _look(self, name: str | None) -> ModuleLook | LoopLook:
        return self._looking.one(name, self.refusals)

    @property
    def flows(self) -> dict[str, Flow]:
        """The newest flow of every module, by name."""
        return self._looking.flows

    @property
    def refusals(self) -> dict[str, str]:
        """Why something is not measured, by module; "*" is the whole model."""
        by_hand = {} if self._states.any_shown else self._hearing.loops
        return self._guard.refusals | self._missed() | by_hand

    @property
    def mistakes(self) -> list[Mistake]:
        """Classic mistakes in the wiring that were found so far, and that no later look has contradicted."""
        return self._mistakes.found

    @property
    def cost(self) -> Cost:
        """The lens's own time so far."""
        return self._schedule.cost

    @property
    def loss(self) -> float | None:
        """The number on which `backward()` was called at the last look; None if there was none, or several."""
        return self._loss

    @property
    def black_box(self) -> BlackBox:
        """The last looks as small numbers, and what came first when one was no longer finite."""
        return self._last_looks.value

    def on(self, kind: str, callback: Callback) -> None:
        """Be told when a look first finds something of a module, once for each module.

            lens.on("vanished", print)

        Args:
            kind: of a verdict ("vanished", "exploding", "not finite", ...) or of a mistake ("missing detach", ...), as
                in `engine.watch.events.KINDS`, with spaces or underscores; "any" of them; or "change": every verdict
                that is not the module's last one, and every mistake once.
            callback: gets a `Finding`: kind, module and sentence. It is called at the end of the backward pass. An
                error in it does not end the training: it becomes a warning, once.

        Raises:
            ValueError: if there is no such kind, or the lens is closed. TypeError: if `callback` cannot be called.
        """
        self._must_be_open("on")
        check_callback(callback)
        self._events.on(kind, callback)

    @on_cpu
    def scalars(self) -> dict[str, float]:
        """Flat numbers of the newest looks, {"watch/lstm/ratio": ...}, as loggers take them."""
        return scalars_of(self._looking.looks, self.mistakes, self.cost, self.loss)

    @property
    def _report(self) -> Report:
        return Report(self._looking.looks, self.mistakes, self.refusals, self.cost, self.black_box, self.loss)

    @on_cpu
    def __str__(self) -> str:
        return written(self._report)

    @on_cpu
    def _repr_html_(self) -> str:
        return html(self._report)
