"""When the lens looks, and what it has cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from engine.number_format import count

PROVED_EVERY = 10
"""The first look is proved, and every tenth: a proof sweeps all sequences, not some."""


@dataclass(frozen=True)
class Cost:
    """What watching has cost so far.

    Args:
        looks: backward passes that were measured, or that failed to be. seconds: the lens's own time.
        elapsed: seconds since it began.
        last: the number of the pass that was looked at last; the first pass has number 0. None before any look.
        passes: how many there were. counts_all: False if there may have been more of them.
    """

    looks: int
    seconds: float
    elapsed: float
    last: int | None = None
    passes: int = 0
    counts_all: bool = True

    @property
    def share(self) -> float:
        """The lens's own share of the elapsed time."""
        return self.seconds / self.elapsed if self.elapsed else 0.0

    def __str__(self) -> str:
        passes = "1 backward pass" if self.passes == 1 and self.counts_all else f"{self.of} backward passes"
        within = f" in {passes}" if self.passes else ""
        return (
            f"{count(self.looks, 'look')}{within} took {self.seconds:.2f} s of {self.elapsed:.1f} s ({self.share:.1%})"
        )

    @property
    def of(self) -> str:
        """The number of backward passes, in words."""
        return str(self.passes) if self.counts_all else f"at least {self.passes}"


class OwnTime(AbstractContextManager[None]):
    """Adds the time in it to the lens's own; what is entered within it is in it already."""

    __slots__ = ("_began", "_schedule")

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._began: float | None = None

    def __enter__(self) -> None:
        if not self._schedule.is_within:
            self._schedule.is_within = True
            self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        if self._began is not None:
            self._schedule.is_within = False
            self._schedule.seconds += time.perf_counter() - self._began


class DeviceTime(AbstractContextManager[None]):
    """Counts the time that a GPU takes for what is in it, in the place of the host's.

    The host waits in it also for all that the training has asked of the GPU before, which is not the lens's time. To be
    entered within own time.
    """

    def __init__(self, schedule: Schedule, mark: Callable[[], Any]) -> None:
        """mark: makes an event now. `first.elapsed_time(last)` are milliseconds, after `last.synchronize()`."""
        self._schedule, self._mark = schedule, mark

    def __enter__(self) -> None:
        self._began, self._first = time.perf_counter(), self._mark()

    def __exit__(self, *_: object) -> None:
        last = self._mark()
        last.synchronize()
        waited = time.perf_counter() - self._began
        self._schedule.seconds += self._first.elapsed_time(last) / 1000 - waited


class Schedule:
    """Decides whether the next forward call is kept, and counts backward passes ("a step" is one, not an update).

    Attributes:
        is_within: the time that passes now is the lens's own.
        passes: all that there were. heard: those of which a call was heard. looks: those that were looked at.
        resting: names of states of which nothing more is wanted in this pass.
        owed: names at which a first look is still to be taken. last: see `Cost`. seconds: the lens's own time.
        listens_always: False if calls were not heard of at some time. always_reached: False if a pass was heard of that
            would not have been counted otherwise.
    """

    def __init__(self, share: float, every: int | None) -> None:
        self._share, self._every, self._began = share, every, time.perf_counter()
        self._due: bool | None = None
        self.is_within = False
        self._at_last_look, self._costs = 0.0, 0.0
        self.passes, self.heard, self.looks, self.seconds = 0, 0, 0, 0.0
        self.owed: set[str] = set()
        self.resting: set[str] = set()
        self.last: int | None = None
        self.listens_always, self.always_reached = True, True

    @property
    def by_time(self) -> bool:
        """True if the share decides; then nothing needs to be heard between two looks."""
        return self._every is None

    @property
    def proves(self) -> bool:
        """Whether the next look is proved."""
        return self.looks % PROVED_EVERY == 0

    def is_due(self) -> bool:
        """Whether calls are kept now; decided once for each pass, at its first call."""
        if self._due is None:
            self._due = self.would_be_due()
        return self._due

    def would_be_due(self) -> bool:
        """The first pass of every module is looked at. From then on the time for one more look must be saved up."""
        if self._every is not None:
            return self.passes % self._every == 0
        elapsed = time.perf_counter() - self._began
        return not self.looks or bool(self.owed) or self.seconds + self._costs <= self._share * elapsed

    @property
    def is_idle(self) -> bool:
        """True once it is decided that this pass is not looked at."""
        return self._due is False

    def pass_began(self) -> None:
        """A backward pass that was not counted before."""
        self.passes += 1

    def went_unheard(self) -> None:
        """It is one of which no call was heard: decide anew, but what was kept for a look still waits for it."""
        self._due = self._due or None
        self.resting.clear()

    def pass_ended(self, looked: bool) -> None:
        """A backward pass of which calls were heard is over; `looked` if it was measured, or tried to."""
        self.heard += 1
        self._due = None
        self.resting.clear()
        if looked:
            self.looks += 1
            self._costs, self._at_last_look = self.seconds - self._at_last_look, self.seconds

    def device_time(self, device: torch.device | None) -> AbstractContextManager[None]:
        """Within own time: count what this device takes, if it is a GPU, in the place of what the host waits."""
        if device is None or device.type != "cuda":
            return nullcontext()
        stream = torch.cuda.current_stream(device)
        return DeviceTime(self, lambda: stream.record_event(torch.cuda.Event(enable_timing=True)))

    def own_time(self) -> OwnTime:
        """Count the time in here as the lens's own."""
        return OwnTime(self)

    @property
    def cost(self) -> Cost:
        """What it has cost so far."""
        elapsed = time.perf_counter() - self._began
        counts_all = self.listens_always or self.always_reached
        return Cost(self.looks, self.seconds, elapsed, self.last, self.passes, counts_all)
