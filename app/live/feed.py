"""What the live socket sends: a run's newest frame as patches, and the run's status."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from app import data_text, text
from app.figures import FIGURES, Curves, Patch, applicable
from app.hub import RunSlot
from app.live import past_runs, timeline
from app.live.component import templates
from app.live.messages import pack
from app.live.shared_messages import SHARED, Sent
from app.live.tabs import ON_THE_STAGE
from app.stage.feed import STAGE, StageFeed
from app.verdicts import BAD, LOOK_AT, NO_CURE, VERDICTS, figure_of
from engine.data.choices import CHOICES
from engine.data.problems import a
from engine.diagnosis import LEARNING_SHARE
from engine.frame import Frame, RunInfo, RunPhase, RunStatus
from engine.number_format import short
from engine.recording.history import History, Waterfall, rates, ratios
from engine.workers import Listeners

SLOW_INTERVAL = 0.5  # seconds between two updates of the curves over training
HELD_OUT = (
    "Measured on held-out sequences, as “how measured?” says, at step {step:,}. The loss to beat is that of a simple "
    "answer to the same sequences."
)

REPEATS = "Training on would try the same update again: go back, or change a setting."
STOP = "Go back to step {step:,}"
NO_BETTER = ("behind", "plateau")
"""Verdicts on a run that is no better than a simple answer."""
TRY_MEANS = (
    "Rows this close together hardly differ from the value before. Try on the page Your data “{choice}: means of "
    "{unit}”. {look}"
)


class Feed:
    """One socket's view of one run: it knows what was sent, and so what is new."""

    def __init__(self, slot: RunSlot) -> None:
        self.slot, self.run, self._ghost, self._beside = slot, slot.run, slot.ghost, slot.beside
        self._figures = {name: figure for name, figure in applicable(slot.run.info).items() if name != ON_THE_STAGE}
        self._reaches = {
            name: past_runs.reaches(figure, slot.run.info, self._beside) for name, figure in self._figures.items()
        }
        self.seen: frozenset[str] = frozenset()  # the figures on the screen, as the browser reports
        self.at: int | None = None  # the past step that the browser shows; None: the newest frame, live
        self.chain: tuple[int, int] | None = None  # (layer, direction) of the browser's figures of a single layer
        self.stage = StageFeed(slot.run)
        self._sent: Frame | None = None
        self._drawn: dict[str, Frame] = {}  # the frame that each figure shows
        self._last_status: dict[str, Any] | None = None
        self._slow_due = 0.0
        self._shown_at: int | None = None
        self._timeline_sent: dict[str, Any] = {}
        self._redrawn_for: Callable[[Frame], str] | None = None  # what the page waited for when it was told last

    @property
    def ended(self) -> bool:
        """True if the slot has another run now."""
        return self.slot.run is not self.run

    @property
    def listeners(self) -> Listeners:
        """Told whenever the slot may have something new."""
        return self.slot.listeners

    @property
    def patience(self) -> float:
        """Seconds until slow figures that wait for their turn may be drawn."""
        wait = self._slow_due - time.monotonic()
        return wait if wait > 0 else math.inf

    def receive(self, message: str) -> None:
        """Store the figures on the screen and the past step and layer that are shown; an invalid message means none."""
        self.seen, self.at, self.chain = frozenset(), None, None
        self.stage.wanted = None
        with contextlib.suppress(ValueError, TypeError, KeyError):
            request = json.loads(message)
            at, seen = request["at"], frozenset(request["seen"]) & frozenset({*FIGURES, STAGE})
            self.seen, self.at = seen, at if type(at) is int else None
            self.stage.receive(request.get("stage"))
            layer, direction = request["chain"]
            self.chain = (layer, direction) if type(layer) is type(direction) is int else None
        if self.slot.is_shared and not self.stage.is_plain:
            self.slot.wants_own_run = True  # the page gives it one
            self.stage.receive(None)

    def advance(self, *, requested: bool) -> None:
        """Do nothing: a worker trains the run without the socket."""

    def frame(self) -> bytes | None:
        """What is new in the newest frame, or in the past frame that is shown.

        The call also requests the next frame, with the on-demand readings on the screen: the run is recorded even
        while a past frame is shown.
        """
        requested = {figure.requires for name, figure in self._figures.items() if figure.requires and name in self.seen}
        if STAGE in self.seen:
            requested |= self.stage.requires()
        frame = self.run.latest(requested if self.at is None else ())
        again = self._again(frame)
        if self.at is not None:
            frame = self.run.frame_at(self.at) or frame
        if self.at != self._shown_at:
            self._shown_at, self._drawn = self.at, {}
        if frame is None:
            return None
        self.stage.is_live = self.at is None
        due, on_stage = self._due(frame), STAGE in self.seen and self.stage.is_due(frame)
        if frame is self._sent and not due and not on_stage:
            return pack({}, status=self._status(), **again) if again else None
        timeline = self._timeline()
        if self._is_shared and not again:
            message = self._shared(frame, due, on_stage, timeline)
        else:
            message = self._packed(frame, due, on_stage, timeline, again)
        self._drawn |= dict.fromkeys(due, frame)
        self._sent = frame
        return message

    @property
    def _is_shared(self) -> bool:
        """True if what is sent depends on nothing that this tab alone has."""
        own = self._ghost is not None or self._beside or self.at is not None
        return self.slot.is_shared and not own and self.stage.is_plain

    def _shared(self, frame: Frame, due: list[str], on_stage: bool, timeline: dict[str, Any]) -> bytes:
        """The message with a frame, as another browser got it that has been sent the same before, or packed anew."""
        stage = (self.stage.choice, tuple(self.stage.told.items())) if on_stage else None
        key = (tuple(due), self._sent is None, stage, json.dumps(timeline), self.chain)
        sent = SHARED.find(self.run, key, frame)
        if sent is None:
            message = self._packed(frame, due, on_stage, timeline, {})
            SHARED.keep(self.run, key, sent := Sent(frame, message, self.stage.told))
        elif on_stage:
            self.stage.note_sent(frame, sent.told)
        return sent.message

    def _packed(
        self, frame: Frame, due: list[str], on_stage: bool, timeline: dict[str, Any], again: dict[str, str]
    ) -> bytes:
        """The message with a frame: the patches of these figures, and all that is said of it."""
        first = self._sent is None
        info = self.run.info_at(frame.step).showing(self.chain)
        curves = curves_of(self.run.curve, self.run.waterfall, info.shown_chain, self.run.frames)
        patches: dict[str, Patch] = {}
        for name in due:
            drawn = dataclasses.replace(curves, reaches=self._reaches[name])
            patches[name] = self._figures[name].patch(info, frame, drawn)
            if name not in self._drawn:
                patches[name] |= self._past(name, info)
        if on_stage:
            patches[STAGE] = self.stage.patch(info, frame)
        return pack(
            patches,
            step=frame.step,
            readouts={name: self._figures[name].readout(info, frame) for name in (self._figures if first else due)},
            verdict=verdict(info, frame),
            status=self._status(),
            timeline=timeline,
            missing=[] if self.at is None else [
                name
                for name, figure in self._figures.items()
                if figure.requires and figure.requires not in frame.on_demand
            ],
            replay=self.at is not None,
            judged=judged_chain(info, frame),
            **again,
        )  # fmt: skip

    def _again(self, newest: Frame | None) -> dict[str, str]:
        """{"again": part of the page} if the run has come to what the page waits for. Once for each drawing of it."""
        waits_for = _whole_page if self.slot.wants_own_run else self.slot.page_waits_for
        if newest is None or waits_for is None or waits_for is self._redrawn_for or not (part := waits_for(newest)):
            return {}
        self._redrawn_for = waits_for
        return {"again": part}

    def _past(self, name: str, info: RunInfo) -> Patch:
        """The previous run in grey, and the past runs that are drawn beside this one."""
        figure, changed = self._figures[name], dict[str, Any]()
        if self._ghost is not None and self._ghost.past_id not in {run.id for run in self._beside.values()}:
            before = dataclasses.replace(curves_of(self._ghost.curve), ratios=self._ghost.ratios)
            changed = past_runs.previous_run(figure, info, self._ghost, before)
        if self._beside:
            template = next(each for each in templates(self.run.info.experiment, info.shown) if each["name"] == name)
            changed |= past_runs.beside(figure, info, self._beside, len(template["figure"]["data"]))
        return changed

    def _due(self, frame: Frame) -> list[str]:
        """The figures on the screen that must be updated for this frame; slow figures only after SLOW_INTERVAL."""
        slow = self.at is not None or time.monotonic() >= self._slow_due or not self._is_training()
        due = [
            name
            for name, figure in self._figures.items()
            if self._drawn.get(name) is not frame
            and name in self.seen
            and (not figure.requires or figure.requires in frame.on_demand)
            and (slow or not figure.slow or name not in self._drawn)
        ]
        if any(self._figures[name].slow for name in due):
            self._slow_due = time.monotonic() + SLOW_INTERVAL
        return due

    def news(self) -> bytes | None:
        """The run's status, if its phase or message has changed; it is sent without a request."""
        status = self._status()
        if self._last_status is not None and all(status[key] == self._last_status[key] for key in ("phase", "message")):
            return None
        self._last_status = status
        return pack({}, status=status)

    def _timeline(self) -> dict[str, Any]:
        """What is new in the timeline: the kept steps, the marks on them, and the alternatives to try."""
        run, kept = self.run, self.run.frames
        now = {
            "kept": [frame.step for frame in kept],
            "marks": timeline.marks(
                self.slot.changes, run.status().solved_at, run.branched_at, kept[-1] if kept else None
            ),
            "fork": run.branched_at,
            "changes": self.slot.changes,
            "what_ifs": timeline.what_ifs(run.experiment if self.at is None else run.info_at(self.at - 1).experiment),
        }
        news = {name: value for name, value in now.items() if value != self._timeline_sent.get(name)}
        self._timeline_sent = now
        return news

    def _is_training(self) -> bool:
        return self.run.status().phase == "running"

    def _status(self) -> dict[str, Any]:
        status: RunStatus = self.run.status()
        again = f" {REPEATS}" if status.phase == RunPhase.REFUSED else ""
        return {"phase": str(status.phase), "clock": text.clock(status), "message": f"{status.message}{again}"}


def _whole_page(frame: Frame) -> str:
    """What a page waits for that must be drawn again whatever the run shows."""
    return "page"


def curves_of(
    history: History,
    waterfall: Waterfall | None = None,
    chain: tuple[int, int] = (-1, 0),
    frames: Sequence[Frame] = (),
) -> Curves:
    """A run's history as the figures need it; the waterfall of this (layer, direction), ratios and rates of frames."""
    rows = (history.updates(), history.looks())
    curves = Curves(*rows, held_out=history.held_out(), ratios=ratios(frames), rates=rates(frames))
    return curves if waterfall is None else dataclasses.replace(curves, waterfall=waterfall.table(chain))


def judged_chain(info: RunInfo, frame: Frame) -> int | None:
    """Which of the run's layers and directions the verdict judges, the one with the largest ratio; None without one."""
    evidence = {} if frame.diagnosis is None else frame.diagnosis.evidence
    if not 0 < evidence.get("ratio", 0) < math.inf or "layer" not in evidence:
        return None
    return info.chains.index((int(evidence["layer"]), int(evidence["direction"])))


def verdict(info: RunInfo, frame: Frame) -> dict[str, Any]:
    """The diagnosis of a frame as values for the browser.

    "figure" is the figure that shows the evidence, "look" what to see there if no cure is known, and "stop" the step
    of the lowest held-out loss, to go back to; empty or None where there is no such thing.
    """
    diagnosis = frame.diagnosis
    if diagnosis is None:
        return {}
    return {
        "kind": diagnosis.kind,
        **VERDICTS[diagnosis.kind].values(),
        "sentence": diagnosis.sentence,
        "cure": text.cure(diagnosis.cure),
        "changes": diagnosis.cure,
        "stop": None if (best := timeline.best_step(frame)) is None else {"step": best, "says": STOP.format(step=best)},
        "figure": figure_of(diagnosis.kind),
        "look": _look(info, frame),
        "numbers": held_out_numbers(info, frame),
        "counted": HELD_OUT.format(step=frame.held_out_step) if frame.has_record else "",
    }


def _look(info: RunInfo, frame: Frame) -> str:
    """What to do, or to look at, besides a cure: a series that is behind may have its rows too close together."""
    assert frame.diagnosis is not None
    kind = frame.diagnosis.kind
    if kind in NO_BETTER and (unit := data_text.longer_means(info.experiment)):
        return TRY_MEANS.format(choice=CHOICES["means"].says, unit=a(unit), look=LOOK_AT[kind])
    return f"{NO_CURE} {LOOK_AT[kind]}" if _has_no_cure(info, frame) else ""


def _has_no_cure(info: RunInfo, frame: Frame) -> bool:
    """True if the verdict is bad and nothing is offered. A run that is improving gets no cure on purpose."""
    diagnosis = frame.diagnosis
    assert diagnosis is not None
    if VERDICTS[diagnosis.kind].severity not in BAD or diagnosis.cure or timeline.best_step(frame) is not None:
        return False
    return not (
        frame.probe_loss < LEARNING_SHARE * info.baseline
        or frame.held_out_loss < LEARNING_SHARE * info.held_out_baseline
    )


def held_out_numbers(info: RunInfo, frame: Frame) -> str:
    """The two numbers that matter: the held-out loss beside the line that it has to beat, and the task's metric."""
    line = next(iter(info.judged_baselines(frame.has_record).values()))
    loss = f"held-out loss {short(frame.judged_loss)} (to beat: {short(line)})"
    if not frame.has_record:  # a recording made before there was such a measurement
        return loss
    when = "" if frame.judged_step == frame.step else f" · at step {frame.judged_step:,}"
    own, beside = info.write_metric(frame.judged_metric), ""
    if best := info.best_metric_baseline:
        own, simple = info.write_metrics([frame.judged_metric, info.metric_baselines[best]])
        beside = f" (“{best}”: {simple})"
    return f"{loss} · {info.metric_name}: {own}{beside}{when}"
