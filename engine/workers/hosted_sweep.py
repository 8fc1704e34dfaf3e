"""A part of a sweep inside a worker: groups of networks that are all kept at about the same step."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

from engine.many.measurement import Measurement
from engine.many.stretch import Stretch
from engine.many.to_trainer import trainer_checkpoint
from engine.many.training import Training
from engine.tasks import Task
from engine.workers.protocol import NetworkTaken, OpenSweep, SweepReport

WATCHED_FOR = 3.0  # seconds after the last word of a watcher in which somebody is taken to be there
IN_A_ROW = 5  # updates of a group before the next one's: so far they may be apart
REPORT_EVERY = 0.2  # seconds between two reports
SAVE_EVERY = 3.0  # seconds between two checkpoints of all networks: what is lost if the worker dies
SAVED_BYTES = 2**21  # a second at most: larger checkpoints are rarer


class HostedSweep:
    """A part of a sweep inside a worker. It trains only while somebody watches.

    Args:
        order: the groups, and where each goes on.
        clock: seconds.
        task: of somebody's own data, on which all train; None for tasks of the catalogue.

    Attributes:
        due: when it may train next.
    """

    def __init__(self, order: OpenSweep, clock: Callable[[], float] = time.monotonic, task: Task | None = None) -> None:
        self.key, self._clock, self._task = order.key, clock, task
        self._stretches = list(order.stretches)
        self._trainings: list[Training | None] = [None] * len(order.stretches)  # built one after the other
        self._measurements: list[Measurement] = []
        self._paused, self._watched_until, self._was_training = order.paused, clock() + WATCHED_FOR, False
        self.due = self._report_due = 0.0
        self._save_due = clock() + SAVE_EVERY
        self._unsaved = False

    # Orders of the pool, called by name.

    def pause(self, _: None = None) -> None:
        """Stop between two updates."""
        self._paused = True

    def resume(self, _: None = None) -> None:
        """Train on."""
        self._paused = False

    def watch(self, _: None = None) -> None:
        """Somebody is there."""
        self._watched_until = self._clock() + WATCHED_FOR

    # Training.

    def wants_to_train(self) -> bool:
        """True while there are networks to build, which pausing does not stop, or updates to make for somebody."""
        if self._clock() > self._watched_until:
            return False
        return self._unbuilt is not None or not (self._paused or self._done)

    def train_for(self, seconds: float) -> None:
        """Build the next networks, or make updates of those that have made the fewest, until the time is over."""
        end = self._clock() + seconds
        while self.wants_to_train():
            number = self._unbuilt
            if number is None:
                number = self._last
                self._advance(self._built[number], end)
            else:
                self._trainings[number] = Training(self._stretches[number], task=self._task)
            self._measurements += self._built[number].take()
            self._unsaved = self._was_training = True
            if self._clock() >= end:
                return

    def _advance(self, training: Training, end: float) -> None:
        """Make a few updates of one group: to change between groups takes time, too."""
        for _ in range(IN_A_ROW):
            training.advance()
            if training.done or self._clock() >= end:
                return

    @property
    def _built(self) -> dict[int, Training]:
        return {number: training for number, training in enumerate(self._trainings) if training is not None}

    @property
    def _unbuilt(self) -> int | None:
        """The first group that is not built yet."""
        return next((number for number, training in enumerate(self._trainings) if training is None), None)

    @property
    def _last(self) -> int:
        """The group that is behind all others."""
        going_on = {number: training.step for number, training in self._built.items() if not training.done}
        return min(going_on, key=going_on.__getitem__)

    @property
    def _done(self) -> bool:
        return self._unbuilt is None and all(training.done for training in self._built.values())

    # What is sent.

    def report(self) -> SweepReport | None:
        """What is new, if it is time to say so: while it trains a few times a second, and when it stops."""
        now, training = self._clock(), self.wants_to_train()
        if not (training and now >= self._report_due) and training == self._was_training:
            return None
        self._report_due, self._was_training = now + REPORT_EVERY, training
        measurements, self._measurements = tuple(self._measurements), []
        saved = self._save(now) if now >= self._save_due or not training else {}
        seconds = {number: each.seconds / each.updates for number, each in self._built.items() if each.updates}
        return SweepReport(self.key, measurements, self._updates, seconds, training, self._done, saved)

    def next_event(self) -> float | None:
        """When it next needs the worker; None: not before the next order."""
        if self.wants_to_train():
            return self.due
        return 0.0 if self._was_training else None

    def take(self, number: int) -> NetworkTaken:
        """A network of this part, by the number of its experiment, as the checkpoint of a trainer of its own."""
        for place, stretch in enumerate(self._stretches):
            if number in stretch.numbers and (training := self._trainings[place]) is not None:
                at = stretch.numbers.index(number)
                checkpoint = trainer_checkpoint(training.experiments[at], training.checkpoint(), at)
                return NetworkTaken(self.key, number, int(training.steps[at]), checkpoint)
        raise ValueError(f"There is no network {number} yet.")

    @property
    def _updates(self) -> dict[int, int]:
        """How many updates each group has made, by its place."""
        return {number: training.updates for number, training in self._built.items()}

    def _save(self, now: float) -> dict[int, Stretch]:
        """Where each group goes on, if it has moved since this was last called."""
        if not self._unsaved:
            return {}
        self._unsaved = False
        saved = {
            number: dataclasses.replace(
                self._stretches[number], checkpoint=training.checkpoint(), beside=training.beside
            )
            for number, training in self._built.items()
        }
        size = sum(values.nbytes for each in saved.values() for values in (each.checkpoint or {}).values())
        self._save_due = now + max(SAVE_EVERY, size / SAVED_BYTES)
        return saved
