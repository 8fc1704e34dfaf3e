"""The messages between the pool and its workers. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from engine.ask.question import Answer
from engine.data import Dataset
from engine.experiment import Changes
from engine.frame import Frame, RunPhase
from engine.frame.typed_frame import TypedFrame
from engine.intervention.changed_frame import ChangedFrame
from engine.many.measurement import Measurement
from engine.many.stretch import Stretch
from engine.slow_motion.update_trace import UpdateTrace
from engine.step_through.sequence_trace import SequenceTrace
from engine.step_through.verification_result import Verification
from engine.tasks.forecast import Forecast

Result = TypeVar("Result")

REPORT_EVERY = 0.5
"""Seconds between two reports about a run that trains, while no frame is requested."""


@dataclass(frozen=True)
class RequestKind(Generic[Result]):
    """Something that can be requested of a run besides its frames, and the type of what comes back."""

    name: str


ANSWER: RequestKind[Answer] = RequestKind("answer")
"""The network's answer to a question; argument: `question`."""
SEQUENCE_TRACE: RequestKind[SequenceTrace] = RequestKind("sequence_trace")
"""The drawn sequence through one chain, forward and back; arguments: `layer` (default: the top one), `direction`."""
VERIFICATION: RequestKind[Verification] = RequestKind("verification")
"""A number of such a trace, computed independently; argument: `entry`."""
UPDATE_TRACE: RequestKind[UpdateTrace] = RequestKind("update_trace")
"""The next update, made on a copy; no arguments."""
WEIGHTS: RequestKind[bytes] = RequestKind("weights")
"""The parameters as a safetensors file; no arguments."""
TYPED_FRAME: RequestKind[TypedFrame] = RequestKind("typed_frame")
"""A frame of the drawn sequence with other symbols; arguments: `changes`, {position on the time axis: label}, and
`requested`, on-demand readings (default: none)."""
CHANGED_FRAME: RequestKind[ChangedFrame] = RequestKind("changed_frame")
"""Frames of the drawn sequence with interventions and without; arguments: `interventions`, and as of a typed frame
`changes` (default: none) and `requested`."""
FORECAST: RequestKind[Forecast] = RequestKind("forecast")
"""What comes after the end of measured data; arguments: `steps`, and `series`, its number (default: 0)."""
REQUEST_KINDS: tuple[RequestKind[Any], ...] = (
    ANSWER, SEQUENCE_TRACE, VERIFICATION, UPDATE_TRACE, WEIGHTS, TYPED_FRAME, CHANGED_FRAME, FORECAST,
)  # fmt: skip


@dataclass(frozen=True)
class Bring:
    """Pool to worker: somebody's own data, which runs and measurements use from now on, until `Forget`.

    `name` is the key of the dataset.
    """

    name: str
    dataset: Dataset


@dataclass(frozen=True)
class Forget:
    """Pool to worker: nothing uses the data of this name any more."""

    name: str


@dataclass(frozen=True)
class Open:
    """Pool to worker: take on this run, from a checkpoint if there is one.

    `changes` are made at their steps. A run that has not reached `until` first trains to that step as fast as
    possible; only then do `paused` and `speed` apply. If it starts from a checkpoint it sends no frames on the way:
    those steps were shown before. `data` is the key of the dataset that it trains on; "" for data of the catalogue.
    `weights` are those of step 0 that are not drawn.
    """

    key: int
    settings: dict[str, Any]
    paused: bool
    speed: float | None
    checkpoint: bytes | None
    changes: Changes = ()
    until: int = 0
    data: str = ""
    weights: bytes = b""


@dataclass(frozen=True)
class Measure:
    """Pool to worker: time `repeats` updates of each of these experiments."""

    key: int
    settings: list[dict[str, Any]]
    repeats: int


@dataclass(frozen=True)
class MeasureRecurrence:
    """Pool to worker: time a linear recurrence of each of these shapes (T, B, H), forward and backward, `repeats` times
    as a loop and as often as a scan."""

    key: int
    shapes: tuple[tuple[int, int, int], ...]
    repeats: int


@dataclass(frozen=True)
class MeasureLines:
    """Pool to worker: where theory draws lines across these gains, for the network of each of these experiments.

    The result has three gains for each of them, as of `engine.lens.gain_lines`: of unit radius, of certain vanishing,
    and of a largest exponent of 0; NaN where there is none.
    """

    key: int
    settings: tuple[dict[str, Any], ...]
    gains: tuple[float, ...]
    repeats: ClassVar[int] = 1


@dataclass(frozen=True)
class OpenSweep:
    """Pool to worker: train these groups of networks, all at about the same pace, while somebody watches.

    `data` is the key of the dataset on which all train; "" for data of the catalogue.
    """

    key: int
    stretches: tuple[Stretch, ...]
    paused: bool
    data: str = ""


@dataclass(frozen=True)
class Order:
    """Pool to worker: `what` is a method of the worker's run or sweep, or "close" (also for a measurement)."""

    key: int
    what: str
    value: Any = None


@dataclass(frozen=True)
class Ping:
    """Pool to worker: are you there? It answers with `Alive` between two slices."""


@dataclass(frozen=True)
class Request:
    """What is to be computed with a run's network as it is; the value of an order "request".

    `engine.workers.requests` has the function for each kind. A newer request takes the place of an older one of its
    kind. Numbers rise and are never used twice.
    """

    number: int
    kind: RequestKind[Any]
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Ready:
    """Worker to pool: torch is loaded, send runs."""

    devices: tuple[str, ...]


@dataclass(frozen=True)
class Alive:
    """Worker to pool: the answer to a `Ping`."""


@dataclass(frozen=True)
class WorkingOn:
    """Worker to pool: from now on I work on this run. If the process dies, the pool blames this run."""

    key: int


@dataclass(frozen=True)
class Report:
    """Worker to pool: how a run is doing, its new updates (step, loss, norm, clipped), all live changes made so far,
    and a frame if one was requested."""

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
class CheckpointSaved:
    """Worker to pool: a checkpoint, from which another worker can go on."""

    key: int
    step: int
    checkpoint: bytes


@dataclass(frozen=True)
class RequestDone:
    """Worker to pool: the result of request `number`, or a sentence that says why there is none."""

    key: int
    number: int
    kind: RequestKind[Any]
    result: Any
    problem: str = ""


@dataclass(frozen=True)
class Measured:
    """Worker to pool: how many repeats of a measurement are timed; when all are, the medians in seconds: of each
    experiment, or of each shape as a loop and as a scan, in the order's order.

    `message` says what went wrong; it is then the last message of this measurement.
    """

    key: int
    medians: tuple[float, ...] | None
    done: int
    total: int
    message: str = ""


@dataclass(frozen=True)
class SweepReport:
    """Worker to pool: how a part of a sweep is doing.

    Args:
        measurements: made since the last report.
        updates: of each group, by its place in the order: how many its networks have made, all together.
        seconds: of each group: what one update of one network takes.
        training: False if it waits: it is paused, done, or nobody watches.
        saved: of groups that have moved since they were last saved: where they go on.
        message: why it has ended, in a sentence; empty if nothing is wrong.
    """

    key: int
    measurements: tuple[Measurement, ...]
    updates: dict[int, int]
    seconds: dict[int, float]
    training: bool
    done: bool
    saved: dict[int, Stretch]
    message: str = ""

    @classmethod
    def ended(cls, key: int, message: str) -> SweepReport:
        """The last report of a part that has ended with an error."""
        return cls(key, (), {}, {}, False, False, {}, message)


@dataclass(frozen=True)
class NetworkTaken:
    """Worker to pool: one network of a sweep as the checkpoint of a trainer, or a sentence that says why not."""

    key: int
    number: int
    step: int
    checkpoint: bytes
    problem: str = ""


MeasureOrder = Measure | MeasureRecurrence | MeasureLines
PoolMessage = Bring | Forget | Open | OpenSweep | MeasureOrder | Order | Ping
WorkerMessage = (
    Ready | Alive | WorkingOn | Report | CheckpointSaved | RequestDone | Measured | SweepReport | NetworkTaken
)  # fmt: skip


class WorkerHandle(Protocol):
    """What a run, a measurement or a part of a sweep needs of the worker process that it was given to."""

    def send(self, message: PoolMessage) -> None:
        """Send a message without waiting."""

    def close(self, key: int) -> None:
        """Forget it, and let the worker forget it."""
