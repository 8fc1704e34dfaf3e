"""The runs of a browser that are over or were left: their curves and settings, to draw them beside the present run."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np

from app import text
from app.figures.base import Curves, LastGradient, PastRun
from engine.cells import CELLS
from engine.experiment import Changes, Experiment, settings_at
from engine.frame import Frame
from engine.number_format import count
from engine.recording.history import ratios, size_of
from engine.recording.memory_budget import KEPT
from engine.workers import Run

NEWEST = 12
"""So many runs stay by themselves; beside them, at most as many that somebody keeps."""
MAX_ROWS = 400  # of each curve
MAX_NAME = 60  # characters
OWN_WORDS = ("cell", "hidden_size")  # settings that every name begins with


@dataclass(eq=False, kw_only=True)
class KeptRun:
    """One run that is over or was left.

    Args:
        name: says what differs from the run before; a person may change it.
        initial: the settings of the first update. changes: the live changes after it, with their steps.
        past: what figures draw of it.
        step: updates made. best: the lowest held-out loss, NaN if none was measured; best_step: where.
        verdict: the kind of its last verdict; "" without one.
        ended: when it was seen to have ended, or to have been left, in seconds since 1970.
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
        self._lines: WeakKeyDictionary[Run, str] = WeakKeyDictionary()  # the id under which a run is kept
        self.size, self.grown = 0, time.monotonic()  # bytes of all runs; when one was added last
        KEPT.enter(self)

    def thin(self) -> bool:
        """False: they are few and small."""
        return False

    @property
    def newest_first(self) -> tuple[KeptRun, ...]:
        """All runs."""
        return self._runs[::-1]

    def find(self, name: object) -> KeptRun | None:
        """The run with this id; None if it was forgotten."""
        return next((run for run in self._runs if run.id == name), None)

    def line_of(self, run: Run) -> KeptRun | None:
        """The line in which this run is kept; None if it is not."""
        return self.find(self._lines.get(run))

    def was_forgotten(self, run: Run) -> bool:
        """True if this run was kept, and is no longer."""
        return run in self._lines and self.line_of(run) is None

    def add(self, run: Run) -> None:
        """Add a run that ends or is left, if it has made an update; of one that is there already, what is new."""
        frame = run.latest()
        if frame is None or frame.step == 0:
            return
        own = self.line_of(run)
        if own is not None and frame.step == own.step == run.status().step and own.changes == changes_of(run):
            return  # nothing is new: pages ask again and again
        new = snapshot(run, frame, self._clock())
        same = own or self._with_settings(new)
        others = tuple(old for old in self._runs if old is not same)
        if same is None:
            new.name = unused_name(new, others)
        else:
            ended = same.ended if same is own and same.step == new.step else new.ended
            new = same if same.step > new.step else new
            new.name, new.id, new.is_kept, new.ended = same.name, same.id, same.is_kept, ended
        self._lines[run] = new.id
        self._runs = tuple(sorted((*others, new), key=lambda kept: kept.ended))
        passing = [old for old in self._runs if not old.is_kept]
        self._forget(passing[: max(0, len(passing) - NEWEST)])
        self.grown = time.monotonic()
        KEPT.settle()

    def _with_settings(self, run: KeptRun) -> KeptRun | None:
        return next((old for old in self._runs if (old.initial, old.changes) == (run.initial, run.changes)), None)

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
        self.size = sum(run.bytes for run in self._runs)


def snapshot(run: Run, frame: Frame, now: float) -> KeptRun:
    """What is kept of a run.

    Args:
        frame: its newest one. now: seconds since 1970.
    """
    initial, changes = settings_at(run.info.experiment, run.changes, 0), changes_of(run)
    curve = run.curve
    held_out, looks = held_out_curve(run, frame), curve.looks()
    curves = Curves(
        updates=thinned(curve.updates()),
        looks=looks[:0] if len(held_out) else thinned(looks),  # of the two, figures draw the held-out record
        held_out=thinned(held_out, frame.held_out_best_step),
        ratios=thinned(ratios((*run.frames, frame))),
    )
    best, best_step = _best(curves)
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


def changes_of(run: Run) -> Changes:
    """The live changes after the first update."""
    return tuple(change for change in run.changes if change[0] > 0)


def held_out_curve(run: Run, frame: Frame) -> np.ndarray:
    """The kept measurements of the held-out record, by step, the lowest among them: it may lie between two frames.

    Args:
        frame: the newest one; it knows the lowest of all measurements.
    """
    kept = run.curve.held_out()
    step = frame.held_out_best_step
    if not np.isfinite(frame.held_out_best) or step in kept["step"]:
        return kept
    return np.insert(kept, np.searchsorted(kept["step"], step), np.array((step, frame.held_out_best), kept.dtype))


def thinned(rows: np.ndarray, step: int = -1) -> np.ndarray:
    """At most MAX_ROWS of these rows, evenly spaced, among them the first, the last, and the one of this step."""
    if len(rows) <= MAX_ROWS:
        return rows
    some = np.linspace(0, len(rows) - 1, MAX_ROWS).round().astype(int)
    (wanted,) = np.nonzero(rows["step"] == step)
    if not np.isin(wanted, some).all():
        inner = some[1:-1]
        inner[np.abs(inner - wanted).argmin()] = wanted.item()
    return rows[some]


def _best(curves: Curves) -> tuple[float, int]:
    """The lowest held-out loss of the curve that is drawn and exported, and its step."""
    steps, losses = curves.held_out_loss
    if not np.isfinite(losses).any():
        return float("nan"), 0
    at = int(np.nanargmin(losses))
    return float(losses[at]), int(steps[at])


# ---- names


def default_name(initial: Experiment, changes: Changes, neighbour: KeptRun | None) -> str:
    """The cell and its units, at most two settings that differ from the neighbour run, and the first live change."""
    parts = [CELLS[initial.cell].title, count(initial.hidden_size, "unit")]
    if neighbour is not None:
        said = {text.setting(name, getattr(initial, name)) for name in OWN_WORDS}
        parts += [change for change in text.changed(initial, neighbour.initial) if change not in said][:2]
    for step, settings in changes[:1]:
        parts.append(f"{', '.join(text.setting(*one) for one in list(settings.items())[:1])} after step {step:,}")
    return ", ".join(parts)[:MAX_NAME]


def unused_name(run: KeptRun, others: Sequence[KeptRun]) -> str:
    """A name that no other run has, by what differs from the newest run on the same data."""
    same_data = [other for other in others if other.initial.has_data_of(run.initial)]
    name = default_name(run.initial, run.changes, same_data[-1] if same_data else None)
    return numbered(name, {other.name for other in others})


def numbered(name: str, taken: Collection[str]) -> str:
    """The name, with a number behind it if it is taken."""
    number = 2
    while name in taken:
        name = f"{name.removesuffix(f' ({number - 1})')} ({number})"
        number += 1
    return name
