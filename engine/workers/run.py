"""One run as everybody but its worker sees it. No torch."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.experiment import LIVE, Changes, Experiment, ExperimentError, in_force, noted
from engine.frame import Frame, RunInfo, RunPhase, RunStatus
from engine.history import History, Moments, Waterfall, size_of
from engine.prediction import Answer, Question
from engine.recording import Recording
from engine.walk import Claimed, Verification, Walk
from engine.workers.protocol import ANSWERS, Answered, Kept, Open, Order, Report, Request

if TYPE_CHECKING:
    from engine.workers.pool import Pool
    from engine.workers.process import Process

MOST_FRAMES, FRAME_BYTES = 120, 24 * 2**20  # of one run, kept to go back to
MOST_CHECKPOINTS, CHECKPOINT_BYTES = 64, 32 * 2**20
ENDED = "This run has ended, so it gives no answer any more."


class Waiting:
    """The newest request of one kind until it is answered, and what came of the last that was."""

    def __init__(self) -> None:
        self.request: Request | None = None
        self.since = 0.0
        self.found: Any = None
        self.problem = ""

    def begin(self, request: Request) -> None:
        """From now on for this one, and for no older one any more."""
        self.request, self.since, self.problem = request, time.monotonic(), ""

    def hear(self, said: Answered) -> None:
        """What was found stays until something newer is; an answer that nobody waits for is not looked at."""
        if self.request is not None and said.number == self.request.number:
            self.request, self.problem = None, said.problem
            self.found = said.answer if said.answer is not None else self.found


class Run:
    """One training run, wherever it is being advanced. All methods return at once; frames come when they are ready."""

    def __init__(
        self, pool: Pool, key: int, experiment: Experiment, *, paused: bool, speed: float | None,
        changes: Changes = (), until: int = 0,
    ) -> None:  # fmt: skip
        self.info, self.key = RunInfo.of(experiment), key
        self._pool = pool
        self._worker: Process | None = None
        self._paused, self._speed, self._until = paused, speed, until
        self._changes = changes
        self._experiment = in_force(experiment, changes)  # as it was told to be in the end
        self._frame: Frame | None = None
        self._asked: frozenset[str] | None = frozenset()  # for a frame with these details; the first comes unasked
        self._history, self._waterfall = History(), Waterfall()
        self._frames: Moments[Frame] = Moments(MOST_FRAMES, FRAME_BYTES, size_of)
        self._checkpoints: Moments[bytes] = Moments(MOST_CHECKPOINTS, CHECKPOINT_BYTES, len)
        self._phase, self._step, self._rate, self._share, self._message = RunPhase.STARTING, 0, 0.0, 0.0, ""
        self._solved_at: int | None = None
        self._told = ""  # what happened to its worker
        self._requests = {what: Waiting() for what in ANSWERS}
        self._asked_so_far = 0
        self.branched_at: int | None = None
        self.strikes = 0

    @property
    def experiment(self) -> Experiment:
        """As submitted, with what was changed since, or is going to be."""
        return self._experiment

    @property
    def changes(self) -> Changes:
        """The live changes, made or planned: (step, {setting: value}), steps rising."""
        return self._changes

    def info_at(self, step: int) -> RunInfo:
        """What a figure of this step needs to know: the settings in force then."""
        return dataclasses.replace(self.info, experiment=in_force(self.info.experiment, self._changes, step))

    def latest(self, details: Collection[str] = ()) -> Frame | None:
        """The newest frame, None before the first. Asking makes the worker take the next one; unasked it takes none.

        Args:
            details: which of `engine.readings.DETAILS` the next one shall have, if it is time for them.
        """
        wanted = frozenset(details)
        if self._asked is None or not wanted <= self._asked:
            self._asked = wanted | (self._asked or frozenset())
            self._send("look", sorted(self._asked))
        return self._frame

    @property
    def first(self) -> Frame | None:
        """The frame of the untrained network, step 0; None where none was taken then."""
        frames = self.frames
        return frames[0] if frames and frames[0].step == 0 else None

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The frames that are kept, steps rising: the first and the newest, and between them evenly many."""
        return tuple(frame for _, frame in self._frames.all())

    def frame_at(self, step: int) -> Frame | None:
        """The newest kept frame that is not beyond this step; None where there is none."""
        found = self._frames.at(step)
        return None if found is None else found[1]

    def recording(self) -> Recording:
        """All that is kept of this run, as a value that can be saved."""
        made = tuple(each for each in self._changes if each[0] <= self._step)
        return Recording(self.info.experiment, made, self.frames, self._history.updates(), self._history.looks())

    @property
    def history(self) -> np.ndarray:
        """Rows of `engine.history.ROW`, thinned: step, loss, probe_loss (NaN where nobody looked) and so on."""
        return self._history.table()

    @property
    def curve(self) -> History:
        """The same, with updates and looks apart."""
        return self._history

    @property
    def waterfall(self) -> Waterfall:
        """The gradient at every step in time, over training, as far as frames were looked at."""
        return self._waterfall

    def status(self) -> RunStatus:
        """Phase, step and speed as last reported."""
        message = " ".join(each for each in (self._told, self._message) if each)
        return RunStatus(self._phase, self._step, self._rate, self._share, message, self._solved_at)

    def pause(self) -> None:
        """Stop between two updates."""
        self._paused, self._until = True, 0
        self._send("pause")

    def resume(self) -> None:
        """Train on; a run that had finished gets as many updates again."""
        self._paused = False
        self._send("resume")

    def advance(self, steps: int = 1) -> None:
        """Make this many updates of a paused run."""
        self._send("advance", steps)

    def update(self, **changes: Any) -> None:
        """Change settings of `engine.experiment.LIVE` while it trains, in place of what was planned for later.

        Raises:
            ExperimentError: for another setting, or a value out of range; nothing is changed then.
        """
        for name, value in changes.items():
            if name not in LIVE:
                raise ExperimentError(name, got=value, accepts="unchanged while a run goes on")
        changed = self._experiment.replace(**changes)
        made = tuple(each for each in self._changes if each[0] <= self._step)
        self._changes = noted(made, self._step, in_force(self.info.experiment, made), changed)
        self._experiment = changed
        self._send("update", {name: getattr(changed, name) for name in LIVE})

    def branch(self, step: int, changes: dict[str, Any], *, paused: bool, speed: float | None) -> Run:
        """Another future: a new run with this one's past up to a step, and other live settings from there on.

        It goes on from the newest checkpoint that is not beyond the step, repeats what lies between, unseen, and is
        then at exactly that step.

        Raises:
            ExperimentError: for a setting that is not live, or a value out of range.
        """
        for name, value in changes.items():
            if name not in LIVE:
                raise ExperimentError(name, got=value, accepts="the same on both branches")
        before = tuple(each for each in self._changes if each[0] < step)
        then = in_force(self.info.experiment, before)
        return self._pool._branch(self, step, noted(before, step, then, then.replace(**changes)), paused, speed)

    def _inherit(self, parent: Run, step: int) -> None:
        """Take over the past of another run of the same experiment, up to a step."""
        self.branched_at = step
        self._history, self._waterfall = parent._history.until(step), parent._waterfall.until(step)
        self._frames, self._checkpoints = parent._frames.until(step), parent._checkpoints.until(step)
        self._frame, self._step = self.frame_at(step), step

    def speed(self, per_second: float | None) -> None:
        """Updates a second at most; None for as fast as it goes."""
        self._speed = per_second
        self._send("speed", per_second)

    def ask(self, question: Question) -> None:
        """Ask the network as it is, whether it trains or not. A newer question takes the place of an older one."""
        self.request("answer", question=question)

    def walk(self, layer: int = -1, direction: int = 0) -> None:
        """Ask for a walk along one chain, at the weights as they are. A newer one takes the place of an older one."""
        self.request("walk", layer=layer, direction=direction)

    def verify(self, what: Claimed) -> None:
        """Ask for a number of a walk to be repeated, at the weights as they are. Only the newest is."""
        self.request("verify", what=what)

    def request(self, what: str, /, **arguments: Any) -> None:
        """Ask for one of `engine.workers.protocol.ANSWERS`; only the newest request of each is answered."""
        self._asked_so_far += 1
        request = Request(self._asked_so_far, what, arguments)
        self._requests[what].begin(request)
        self._send("ask", request)

    def found(self, what: str) -> Any:
        """The newest answer of this kind that came; None before the first."""
        return self._requests[what].found

    def waits_for(self, what: str) -> bool:
        """True while such an answer can still come: from the present worker, or from one that replaces it."""
        return self._requests[what].request is not None and not self._ended

    def problem_with(self, what: str) -> str:
        """Why there is no answer to the newest request of this kind, in a sentence; empty where nothing is wrong."""
        waiting = self._requests[what]
        return ENDED if waiting.request is not None and self._ended else waiting.problem

    @property
    def asking(self) -> bool:
        """True while an answer can still come: from the present worker, or from one that replaces it."""
        return self.waits_for("answer")

    @property
    def is_walking(self) -> bool:
        """True while a walk can still come."""
        return self.waits_for("walk")

    @property
    def is_verifying(self) -> bool:
        """True while a verification can still come."""
        return self.waits_for("verify")

    @property
    def waited(self) -> float:
        """Seconds since the oldest request that still waits was made, of any kind; 0 where none does."""
        return max(
            (time.monotonic() - self._requests[what].since for what in ANSWERS if self.waits_for(what)), default=0.0
        )

    @property
    def answer(self) -> Answer | None:
        """To the newest question that was answered; None before the first."""
        return self.found("answer")

    @property
    def walked(self) -> Walk | None:
        """The newest walk that was made; None before the first."""
        return self.found("walk")

    @property
    def verified(self) -> Verification | None:
        """The newest number that was repeated; None before the first."""
        return self.found("verify")

    @property
    def answer_problem(self) -> str:
        """Why there is no answer to the newest question, in a sentence; empty where nothing is wrong."""
        return self.problem_with("answer")

    @property
    def walk_problem(self) -> str:
        """Why there is no walk as last asked for, in a sentence; empty where nothing is wrong."""
        return self.problem_with("walk")

    @property
    def verify_problem(self) -> str:
        """Why the number last asked for was not repeated, in a sentence; empty where nothing is wrong."""
        return self.problem_with("verify")

    @property
    def _ended(self) -> bool:
        return self._phase in (RunPhase.FAILED, RunPhase.STOPPED)

    def stop(self) -> None:
        """End the run and forget it; its last frame and history stay readable."""
        self._phase = RunPhase.STOPPED
        self._pool._close(self)

    def _send(self, what: str, value: Any = None) -> None:
        if self._worker is not None:
            self._worker.send(Order(self.key, what, value))

    def _orders(self) -> list[Open | Order]:
        """Everything that a worker needs to take this run on, and the requests that still wait."""
        settings = self.info.experiment.to_dict()
        kept = self._checkpoints.at(self._step)
        opening = Open(
            self.key, settings, self._paused, self._speed, kept and kept[1], self._changes, self._until
        )  # fmt: skip
        requests = [each.request for each in self._requests.values()]
        return [opening, *(Order(self.key, "ask", request) for request in requests if request is not None)]

    def _hear_answer(self, said: Answered) -> None:
        self._requests[said.what].hear(said)

    def _hear(self, report: Report) -> None:
        if self._phase == RunPhase.STOPPED:
            return
        for update in report.updates:
            self._history.update(*update)
        frame = report.frame
        if frame is not None:
            self._history.look(frame.step, frame.loss, frame.probe_loss, frame.metric, frame.param_grad_norm,
                               frame.clipped)  # fmt: skip
            self._frame, self._asked = frame, None
            self._frames.add(frame.step, frame)
            self._waterfall.look(self.info, frame)
        self._phase, self._step, self._message = report.phase, report.step, report.message
        self._rate, self._share, self._solved_at = report.steps_per_second, report.share, report.solved_at
        self._agree_on(report.changes)
        if report.phase == RunPhase.FINISHED:
            self._paused = True

    def _agree_on(self, made: Changes) -> None:
        """The worker says at which steps changes were made; those that it has not heard of yet come after."""
        reached = made[-1][0] if made else -1
        said = in_force(self.info.experiment, made)
        ahead = tuple(each for each in self._changes if each[0] > max(reached, self._step))
        if ahead or said == self._experiment:
            self._changes = made + ahead

    def _keep(self, said: Kept) -> None:
        self._checkpoints.add(said.step, said.checkpoint)
