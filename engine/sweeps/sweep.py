"""A sweep: experiments trained in stretches, and their rows as they come."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.experiment import Experiment, ExperimentError
from engine.many.measurement import Measurement
from engine.many.stretch import Failed, Stretch, Trained
from engine.sweeps.journal import Group, Journal, Plan, SweepError
from engine.sweeps.place import Place
from engine.sweeps.row import Row, varied
from engine.tasks import OWN_DATA

SECONDS = 8.0  # of a stretch
TRIES = 3  # of a stretch, before the sweep ends


@dataclass(frozen=True)
class Progress:
    """How far a sweep is, in updates of single networks.

    Args:
        made, total: updates.
        seconds_left: at the speed so far; None until there is one.
    """

    made: int
    total: int
    seconds_left: float | None


def sweep(
    experiments: Sequence[Experiment], updates: int, on: Place, *, measure_every: int = 50, seconds: float = SECONDS,
    folder: Path | None = None, on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Generator[Row, None, None]:  # fmt: skip
    """Train experiments for so many updates each, and yield a row for every measurement, as they come.

    The rows of an experiment come in the order of its steps. They are the same, to the last bit on machines of one
    kind, wherever and in whichever stretches they are computed. With a folder a sweep goes on where it was when
    everything was killed, and yields the rows from before as well. Closing the iterator cancels the sweep, and closes
    `on`.

    Args:
        experiments: their `steps` and targets are not looked at.
        measure_every: updates between two measurements; step 0 and the last one are measured as well.
        seconds: of training in a stretch.
        folder: keeps rows and checkpoints after every stretch; None: nothing is kept.
        on_progress: called after every stretch.

    Raises:
        ExperimentError: for somebody's own data, which are in this process alone.
        SweepError: if the folder keeps another sweep, or a stretch has failed TRIES times.
    """
    for e in experiments:
        if e.task == OWN_DATA:
            raise ExperimentError("task", got=e.task, accepts="one of the catalogue's: own data are not sent about")
    plan = Plan(tuple(experiments), updates, measure_every)
    try:
        yield from _Sweep(plan, on, seconds, Journal(folder, plan) if folder else None, on_progress).rows()
    finally:
        on.close()


class _Sweep:
    """A sweep that goes on."""

    def __init__(
        self, plan: Plan, on: Place, seconds: float, journal: Journal | None, on_progress: Callable[[Progress], None]
    ) -> None:
        self._plan, self._on, self._seconds, self._journal, self._on_progress = plan, on, seconds, journal, on_progress
        self._settings = varied(plan.experiments)
        self._groups = self._make_groups()
        self._trained: dict[int, Trained] = {}  # of each group, with all that was measured of it
        self._tries: dict[int, int] = {}
        self._began, self._made_before = time.monotonic(), 0

    def rows(self) -> Iterator[Row]:
        """Train, and yield the rows."""
        waiting = 0
        for number in range(len(self._groups)):
            trained = self._journal.read(number) if self._journal else None
            if trained is not None:
                self._trained[number] = trained
                yield from self._as_rows(trained.measurements)
            if trained is None or not trained.done:
                self._on.submit(self._stretch(number))
                waiting += 1
        self._made_before = self._made
        while waiting:
            stretch, outcome = self._on.next()
            number = self._number_of(stretch)
            if isinstance(outcome, Failed):
                self._again(number, stretch, outcome)
                continue
            self._keep(number, outcome)
            yield from self._as_rows(outcome.measurements)
            self._on_progress(self._progress())
            if outcome.done:
                waiting -= 1
            else:
                self._on.submit(self._stretch(number))

    def _make_groups(self) -> tuple[Group, ...]:
        """The groups, as the journal has them, or new ones."""
        if self._journal and self._journal.groups is not None:
            return self._journal.groups
        groups = tuple(groups_of(self._plan.experiments))
        if self._journal:
            self._journal.begin(groups)
        return groups

    def _number_of(self, stretch: Stretch) -> int:
        """The number of the group of a stretch."""
        return next(number for number, group in enumerate(self._groups) if group.numbers == stretch.numbers)

    def _stretch(self, number: int) -> Stretch:
        """The next stretch of a group."""
        group, before, plan = self._groups[number], self._trained.get(number), self._plan
        return Stretch(
            numbers=group.numbers,
            experiments=tuple(plan.experiments[each].to_dict() for each in group.numbers),
            beside=group.beside,
            updates=plan.updates,
            measure_every=plan.measure_every,
            seconds=self._seconds,
            checkpoint=before.checkpoint if before else None,
        )

    def _again(self, number: int, stretch: Stretch, failed: Failed) -> None:
        """Try a stretch again that has failed: whoever trained it may have died."""
        self._tries[number] = self._tries.get(number, 1) + 1
        if self._tries[number] > TRIES:
            named = self._settings[stretch.numbers[0]]
            raise SweepError(f"The networks from {named} on cannot be trained. {failed.reason}")
        self._on.submit(stretch)

    def _keep(self, number: int, outcome: Trained) -> None:
        """Remember, on disk as well, how far a group is."""
        before = self._trained[number].measurements if number in self._trained else ()
        self._tries.pop(number, None)
        self._trained[number] = dataclasses.replace(outcome, measurements=(*before, *outcome.measurements))
        if self._journal:
            self._journal.write(number, self._trained[number])

    @property
    def _made(self) -> int:
        return sum(each.updates for each in self._trained.values())

    def _progress(self) -> Progress:
        """How far the sweep is."""
        total = len(self._plan.experiments) * self._plan.updates
        made, passed = self._made, time.monotonic() - self._began
        now = made - self._made_before
        return Progress(made, total, passed / now * (total - made) if now else None)

    def _as_rows(self, measurements: Sequence[Measurement]) -> list[Row]:
        return [Row.of(self._settings[each.number], each) for each in measurements]


def groups_of(experiments: Sequence[Experiment]) -> Iterator[Group]:
    """Put experiments together that are trained side by side, where that is faster; the others are alone."""
    from engine.many.alike import group
    from engine.many.choice import pays

    for numbers in group(experiments):
        if pays([experiments[number] for number in numbers]):
            yield Group(tuple(numbers), True)
        else:
            yield from (Group((number,), False) for number in numbers)
