"""A sweep that the pool's workers train together, as the server process sees it. No torch."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Sequence

from engine.data import Dataset
from engine.data.dataset import dataset_of
from engine.experiment import Experiment
from engine.many.alike import group
from engine.many.measurement import Measurement
from engine.many.stretch import Stretch
from engine.recording.history import size_of
from engine.recording.memory_budget import KEPT
from engine.update_cost import step_cost
from engine.workers.crashes import Crashes
from engine.workers.listeners import Listeners
from engine.workers.protocol import NetworkTaken, OpenSweep, Order, SweepReport, WorkerHandle
from engine.workers.reasons import KILLED_TWICE_TOGETHER

LOST = "A worker process died and was replaced; its networks went on from where they were last saved."
TOO_LATE = "the worker that has it did not answer in time. Try again."
PATIENCE = 20.0  # seconds to wait for a network
WATCH_EVERY = 1.0  # seconds between two words to the workers that somebody is there


class SweepPart:
    """The groups of a sweep that one worker trains."""

    def __init__(self, sweep: SweepRun, key: int, stretches: Iterable[Stretch], datasets: tuple[Dataset, ...]) -> None:
        self.key, self.datasets, self._sweep = key, datasets, sweep
        self.stretches = list(stretches)
        self.updates, self.seconds = dict[int, int](), dict[int, float]()
        self.training = self.done = self.ended = False
        self._crashes = Crashes()
        self._worker: WorkerHandle | None = None
        self._wanted: int | None = None  # the network that was asked for and has not come
        self.size, self.grown = 0, time.monotonic()  # of the checkpoints
        KEPT.enter(self)

    def send(self, what: str, value: object = None) -> None:
        """Send an order to its worker."""
        if self._worker is not None:
            self._worker.send(Order(self.key, what, value))

    def want(self, number: int) -> None:
        """Ask for a network."""
        self._wanted = number
        self.send("take", number)

    def close(self) -> None:
        """Let its worker forget it."""
        if self._worker is not None:
            self._worker.close(self.key)

    # For the worker process that it is given to; see `engine.workers.worker_process.Hosted`.

    def attach(self, worker: WorkerHandle) -> None:
        """From now on this worker trains it."""
        self._worker = worker

    def restart_orders(self) -> list[OpenSweep | Order]:
        """All messages that a worker needs to take it on."""
        data = next((dataset.key for dataset in self.datasets), "")
        opening = OpenSweep(self.key, tuple(self.stretches), self._sweep.paused, data)
        return [opening, *([] if self._wanted is None else [Order(self.key, "take", self._wanted)])]

    def receive(self, message: SweepReport | NetworkTaken) -> None:
        """Process a message from the worker."""
        if isinstance(message, NetworkTaken):
            if message.number == self._wanted:
                self._wanted = None
            self._sweep.receive_network(message)
            return
        for place, stretch in message.saved.items():
            self.stretches[place] = stretch
        if message.saved:
            self.size, self.grown = sum(size_of(stretch.checkpoint) for stretch in self.stretches), time.monotonic()
            KEPT.settle()
        self.updates |= message.updates
        self.seconds |= message.seconds
        self.training, self.done, self.ended = message.training, message.done, bool(message.message)
        self._sweep.receive(message)

    def thin(self) -> bool:
        """False: there is one checkpoint of each network, from which it goes on."""
        return False

    def worker_lost(self) -> None:
        """Its worker process died; a replacement is going to take it on."""
        self.training = False
        self._sweep.worker_lost()

    def blame(self) -> str:
        """Its worker process died while it worked on it. Returns why it is not tried again; empty if it is."""
        made = sum(self.updates.values())
        return KILLED_TWICE_TOGETHER if self._crashes.happened(made, made) else ""

    def fail(self, reason: str) -> None:
        """End it with a sentence that says why; the other parts go on."""
        self.training, self.ended = False, True
        self._sweep.fail(reason)


class SweepRun:
    """Many networks, each trained for so many updates. All methods return at once; workers do the work.

    They train only while somebody says `watch` at least every few seconds. `listeners` are told whenever there is
    something new.

    Args:
        experiments: their `steps` and targets are not looked at.
        updates: of each network. measure_every: updates between two measurements.

    Attributes:
        measurements: all that have come, of every network in the order of its steps.
        diverged: the numbers of the networks whose next update has numbers that are not finite.
        problem: what is wrong, in a sentence; empty if nothing is.
    """

    def __init__(self, experiments: Sequence[Experiment], updates: int, measure_every: int) -> None:
        self.experiments, self.updates, self.measure_every = tuple(experiments), updates, measure_every
        self.listeners = Listeners()
        self.measurements: list[Measurement] = []
        self.paused = self.stopped = False
        self.problem = ""
        self.parts: list[SweepPart] = []
        self.diverged: set[int] = set()
        self._steps: dict[int, int] = {}  # of each network, that of its newest measurement
        self._taken: dict[int, NetworkTaken] = {}
        self._awaited: dict[int, threading.Event] = {}
        self._watched = -math.inf
        self._was_training, self._trained_for, self._since = False, 0.0, time.monotonic()

    def shares(self, workers: int) -> list[list[Stretch]]:
        """The work of each of so many workers: groups of networks side by side, so that all have equally much."""
        shares: list[list[Stretch]] = [[] for _ in range(workers)]
        loads = [0.0] * workers
        sized = [(self._cost(numbers), numbers) for numbers in group(self.experiments)]
        for cost, numbers in sorted(sized, key=lambda each: -each[0]):
            least = loads.index(min(loads))
            loads[least] += cost
            shares[least].append(self._stretch(numbers))
        return [share for share in shares if share]

    def _cost(self, numbers: Sequence[int]) -> float:
        return sum(step_cost(self.experiments[number])[0] for number in numbers)

    def _stretch(self, numbers: Sequence[int]) -> Stretch:
        """A group from its start."""
        return Stretch(
            numbers=tuple(numbers),
            experiments=tuple(self.experiments[number].to_dict() for number in numbers),
            beside=None,
            updates=self.updates,
            measure_every=self.measure_every,
            seconds=math.inf,
        )

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """Somebody's own data, if they train on such."""
        found = {id(each): each for e in self.experiments if (each := dataset_of(e)) is not None}
        return tuple(found.values())

    # How it goes.

    @property
    def done(self) -> bool:
        """True if every network has made its updates, or can make none any more."""
        return bool(self.parts) and all(part.done or part.ended for part in self.parts)

    @property
    def training(self) -> bool:
        """True while a worker trains it."""
        return any(part.training for part in self.parts)

    @property
    def made(self) -> float:
        """How much of the work is done, 0 to 1: updates, each counted by what it takes."""
        made = total = 0.0
        for part in self.parts:
            usual = max(part.seconds.values(), default=1.0)
            for place, stretch in enumerate(part.stretches):
                cost = part.seconds.get(place, usual)
                made += cost * part.updates.get(place, 0)
                total += cost * self.updates * len(stretch.numbers)
        return made / total if total else 0.0

    @property
    def seconds(self) -> float:
        """For how long workers have trained it so far, by the clock."""
        return self._trained_for + (time.monotonic() - self._since if self._was_training else 0.0)

    @property
    def seconds_left(self) -> float | None:
        """At the speed so far; None until there is one."""
        made = self.made
        return self.seconds * (1 - made) / made if made > 0.01 else None

    def watch(self) -> None:
        """Somebody is there: train on for some seconds."""
        if time.monotonic() - self._watched > WATCH_EVERY:
            self._watched = time.monotonic()
            self._send("watch")

    def pause(self) -> None:
        """Stop between two updates."""
        self.paused = True
        self._send("pause")

    def resume(self) -> None:
        """Train on."""
        self.paused = False
        self._send("resume")

    def stop(self) -> None:
        """End it; what was measured stays readable."""
        self.stopped = True
        for part in self.parts:
            part.close()

    def take(self, number: int, patience: float = PATIENCE) -> NetworkTaken:
        """Ask for a network as the checkpoint of a trainer, and wait until it comes.

        Args:
            patience: seconds to wait at most; then the answer is a sentence that says so.
        """
        part = next(part for part in self.parts if any(number in stretch.numbers for stretch in part.stretches))
        arrived = threading.Event()
        self._awaited[number] = arrived
        part.want(number)
        arrived.wait(patience)
        return self._taken.pop(number, NetworkTaken(part.key, number, 0, b"", TOO_LATE))

    def _send(self, what: str) -> None:
        for part in self.parts:
            part.send(what)

    # For its parts.

    def receive(self, report: SweepReport) -> None:
        """Take what is new: after a worker's death networks repeat steps that were measured before."""
        for each in report.measurements:
            if each.step > self._steps.get(each.number, -1) or (each.diverged and each.number not in self.diverged):
                self._steps[each.number] = each.step
                self.measurements.append(each)
                if each.diverged:
                    self.diverged.add(each.number)
        self._changed(report.message)

    def receive_network(self, network: NetworkTaken) -> None:
        """Keep a network that was asked for."""
        self._taken[network.number] = network
        if (arrived := self._awaited.pop(network.number, None)) is not None:
            arrived.set()

    def worker_lost(self) -> None:
        """A worker died; its part goes on from where it was last saved."""
        self._changed(LOST)

    def fail(self, reason: str) -> None:
        """A part has ended with a sentence that says why; the others go on."""
        self._changed(reason)

    def _changed(self, problem: str = "") -> None:
        """Count the time, and tell whoever looks."""
        self._trained_for, self._since, self._was_training = self.seconds, time.monotonic(), self.training
        self.problem = problem or self.problem
        self.listeners.tell()
