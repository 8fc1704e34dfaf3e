"""The runs of a browser that are over: their curves and settings, to draw them beside the present run."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from app import text
from app.figures.base import Curves, LastGradient, PastRun
from engine.cells import CELLS
from engine.experiment import Changes, Experiment, settings_at
from engine.frame import Frame
from engine.recording.history import ratios, size_of
from engine.workers import Run

NEWEST = 12
"""So many runs stay by themselves; beside them, at most as many that somebody keeps."""
MAX_ROWS = 400  # of each curve
MAX_NAME = 60  # characters
OWN_WORDS = ("cell", "hidden_size")  # settings that every name begins with


@dataclass(eq=False, kw_only=True)
class KeptRun:
    """One run that is over.

    Args:
        name: says what differs from the run before; a person may change it.
        initial: the settings of the first update. changes: the live changes after it, with their steps.
        past: what figures draw of it.
        step: updates made. best: the lowest held-out loss, NaN if none was measured; best_step: where.
        verdict: the kind of its last verdict; "" without one.
        ended: when, in seconds since 1970.
        is_kept: newer runs do not take its place.
    """

    name: str
    initial: Experiment
    changes: Changes
    past: PastRun
    step: int
    best: float
    best_step: int
    verdict: str
    ended: float
    is_kept: bool = False
    id: str = field(default_factory=lambda: secrets.token_urlsafe(6))

    @property
    def bytes(self) -> int:
        """Bytes of all its arrays."""
        curves = self.past.curves
        return size_of((self.past.last, curves.updates, curves.looks, curves.held_out, curves.ratios))


class PastRuns:
    """The past runs of one browser, in all its tabs; they live as long as one of its runs does.

    Two runs with the same settings and the same live changes give the same numbers, so the longer one stands for both.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._runs: tuple[KeptRun, ...] = ()  # replaced, never changed: pages and sockets read it meanwhile

    @property
    def newest_first(self) -> tuple[KeptRun, ...]:
        """All runs."""
        return self._runs[::-1]

    def find(self, name: object) -> KeptRun | None:
        """The run with this id; None if it was forgotten."""
        return next((run for run in self._runs if run.id == name), None)

    def add(self, run: Run) -> None:
        """Add a run that ends, if it has made an update."""
        frame = run.latest()
        if frame is None or frame.step == 0:
            return
        new = snapshot(run, frame, self._clock())
        same = next((old for old in self._runs if (old.initial, old.changes) == (new.initial, new.changes)), None)
        others = tuple(old for old in self._runs if old is not same)
        if same is None:
            new.name = unused_name(new, others)
        else:
            longer = same if same.step > new.step else new
            longer.name, longer.id, longer.is_kept, longer.ended = same.name, same.id, same.is_kept, new.ended
            new = longer
        self._runs = (*others, new)
        passing = [old for old in self._runs if not old.is_kept]
        self._forget(passing[: max(0, len(passing) - NEWEST)])

    def rename(self, run: KeptRun, name: str) -> None:
        """Give a run another name, of one line; an empty one changes nothing, one that is taken gets a number."""
        wanted = " ".join(name.split())[:MAX_NAME].strip() or run.name
        run.name = numbered(wanted, {other.name for other in self._runs if other is not run})

    def keep(self, run: KeptRun, kept: bool) -> bool:
        """Keep a run from being replaced by newer ones, or no longer.

        Returns:
            False, with nothing changed, if as many as possible are kept already.
        """
        if kept and not run.is_kept and sum(other.is_kept for other in self._runs) >= NEWEST:
            return False
        run.is_kept = kept
        return True

    def forget(self, run: KeptRun) -> None:
        """Remove a run."""
        self._forget([run])

    def _forget(self, runs: Sequence[KeptRun]) -> None:
        self._runs = tuple(run for run in self._runs if run not in runs)


def snapshot(run: Run, frame: Frame, now: float) -> KeptRun:
    """What is kept of a run.

    Args:
        frame: its newest one. now: seconds since 1970.
    """
    initial = settings_at(run.info.experiment, run.changes, 0)
    changes = tuple(change for change in run.changes if change[0] > 0)
    curve = run.curve
    held_out, looks = curve.held_out(), curve.looks()
    curves = Curves(
        updates=thinned(curve.updates()),
        looks=looks[:0] if len(held_out) else thinned(looks),  # of the two, figures draw the held-out record
        held_out=thinned(held_out),
        ratios=thinned(ratios((*run.frames, frame))),
    )
    best, best_step = _best(frame, curves)
    return KeptRun(
        name=default_name(initial, changes, None),
        initial=initial,
        changes=changes,
        past=PastRun(run.info, LastGradient.of(frame), curves),
        step=max(frame.step, run.status().step),
        best=best,
        best_step=best_step,
        verdict=frame.diagnosis.kind if frame.diagnosis is not None else "",
        ended=now,
    )


def thinned(rows: np.ndarray) -> np.ndarray:
    """At most MAX_ROWS of these rows, evenly spaced, the first and the last among them."""
    if len(rows) <= MAX_ROWS:
        return rows
    return rows[np.linspace(0, len(rows) - 1, MAX_ROWS).round().astype(int)]


def _best(frame: Frame, curves: Curves) -> tuple[float, int]:
    """The lowest held-out loss and its step: of the frame's record, or of the curve where there is none."""
    if np.isfinite(frame.held_out_best):
        return frame.held_out_best, frame.held_out_best_step
    steps, losses = curves.held_out_loss
    if not np.isfinite(losses).any():
        return float("nan"), 0
    at = int(np.nanargmin(losses))
    return float(losses[at]), int(steps[at])


# ---- names


def default_name(initial: Experiment, changes: Changes, neighbour: KeptRun | None) -> str:
    """The cell and its units, at most two settings that differ from the neighbour run, and the first live change."""
    parts = [CELLS[initial.cell].title, f"{initial.hidden_size} unit{'' if initial.hidden_size == 1 else 's'}"]
    if neighbour is not None:
        said = {text.setting(name, getattr(initial, name)) for name in OWN_WORDS}
        parts += [change for change in text.changed(initial, neighbour.initial) if change not in said][:2]
    for step, settings in changes[:1]:
        parts.append(f"{', '.join(text.setting(*one) for one in list(settings.items())[:1])} after step {step:,}")
    return ", ".join(parts)[:MAX_NAME]


def unused_name(run: KeptRun, others: Sequence[KeptRun]) -> str:
    """A name that no other run has, by what differs from the newest run on the same data."""
    same_data = [other for other in others if other.initial.task == run.initial.task]
    name = default_name(run.initial, run.changes, same_data[-1] if same_data else None)
    return numbered(name, {other.name for other in others})


def numbered(name: str, taken: Collection[str]) -> str:
    """The name, with a number behind it if it is taken."""
    number = 2
    while name in taken:
        name = f"{name.removesuffix(f' ({number - 1})')} ({number})"
        number += 1
    return name
