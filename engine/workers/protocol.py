"""What the pool and its workers say to each other over a pipe. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.experiment import Changes
from engine.frame import Frame, RunPhase
from engine.prediction import Answer
from engine.rehearsal import Rehearsal
from engine.walk import Verification, Walk

ANSWERS = ("answer", "walk", "verify", "rehearse", "weights")
"""What can be asked of a run besides its frames."""


@dataclass(frozen=True)
class Open:
    """Pool to worker: take this run on, from a checkpoint if there is one.

    `changes` are made at their steps. A run that has not reached `until` trains there first, as fast as it goes, and
    only then is paused or keeps to its speed; from a checkpoint it shows nothing on the way, for that was seen before.
    """

    key: int
    settings: dict[str, Any]
    paused: bool
    speed: float | None
    checkpoint: bytes | None
    changes: Changes = ()
    until: int = 0


@dataclass(frozen=True)
class Measure:
    """Pool to worker: time so many updates of each of these experiments."""

    key: int
    settings: list[dict[str, Any]]
    repeats: int


@dataclass(frozen=True)
class Order:
    """Pool to worker: `what` is a method of `engine.workers.worker.Seat`, or "close" (also for a measurement)."""

    key: int
    what: str
    value: Any = None


@dataclass(frozen=True)
class Request:
    """What somebody wants to know of a run's network, the value of an order "ask".

    `what` is one of ANSWERS, which `engine.workers.requests` answers; a newer request for the same takes the place of
    an older one. Numbers rise and are never used twice.
    """

    number: int
    what: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Ready:
    """Worker to pool: torch is loaded, send runs."""

    devices: tuple[str, ...]


@dataclass(frozen=True)
class Serving:
    """Worker to pool: from now on it is this run that I advance (so that a death can be laid at its door)."""

    key: int


@dataclass(frozen=True)
class Report:
    """Worker to pool: how a run is doing, its new updates (step, loss, norm, clipped), all live changes made so far,
    and a frame if one was asked for."""

    key: int
    phase: RunPhase
    step: int
    steps_per_second: float
    share: float
    message: str
    solved_at: int | None
    updates: list[tuple[int, float, float, bool]]
    changes: Changes
    frame: Frame | None


@dataclass(frozen=True)
class Answered:
    """Worker to pool: what came of request `number` for `what`, or in a sentence why nothing did."""

    key: int
    number: int
    what: str
    answer: Answer | Walk | Verification | Rehearsal | bytes | None
    problem: str = ""


@dataclass(frozen=True)
class Measured:
    """Worker to pool: how many of a measurement's updates are timed; when all are, each experiment's median in seconds.

    `message` says what went wrong, and then nothing more comes.
    """

    key: int
    medians: tuple[float, ...] | None
    done: int
    total: int
    message: str = ""


@dataclass(frozen=True)
class Kept:
    """Worker to pool: a checkpoint, from which another worker can go on."""

    key: int
    step: int
    checkpoint: bytes
