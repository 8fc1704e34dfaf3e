"""One browser's view of the next update in slow motion: its trace, and all that is said of its five phases."""

from __future__ import annotations

import json
from typing import Any

from app.figures.slow_motion import update as figures
from app.slow_motion import text
from engine.experiment import Experiment
from engine.frame import RunInfo, RunPhase
from engine.slow_motion.update_trace import UpdateTrace
from engine.workers import UPDATE_TRACE
from engine.workers.run import Run


class UpdateFeed:
    """Asks for the trace of the run's next update while somebody wants to see it and the run stands still."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.is_wanted = False
        self._asked: tuple[int, Experiment] | None = None
        self._shown: UpdateTrace | None = None
        self._told: tuple[UpdateTrace | None, dict[str, Any]] = (None, {})
        self._seen: tuple[int, float] | None = None  # the last update traced here: the step after it, and its loss

    def request(self) -> None:
        """Ask for the trace once for each step and settings: a request that failed is not repeated."""
        status = self._run.status()
        now = (status.step, self._run.experiment)
        stands = status.phase != RunPhase.RUNNING
        if self.is_wanted and stands and self._asked != now and not self._run.is_pending(UPDATE_TRACE):
            self._asked = now
            self._run.request(UPDATE_TRACE)

    def trace(self) -> UpdateTrace | None:
        """The trace of the update that the run would make next; None if it is not wanted or not there yet."""
        trace = self._run.result(UPDATE_TRACE) if self.is_wanted else None
        if trace is None or (trace.step, trace.experiment) != (self._run.status().step, self._run.experiment):
            return None
        return trace

    def shown(self) -> UpdateTrace | None:
        """The same; while the next one is being computed, the one before, so that the picture stays."""
        self._shown = (self.trace() or self._shown) if self.is_wanted else None
        return self._shown

    @property
    def problem(self) -> str:
        """Why there is no trace, in a sentence; empty otherwise."""
        return self._run.problem(UPDATE_TRACE) if self.is_wanted else ""

    def told(self, info: RunInfo) -> dict[str, Any] | None:
        """Everything that the browser shows beside the network in the five phases; None without a trace."""
        trace = self.trace()
        if trace is None:
            return None
        if trace is not self._told[0]:
            self._told = trace, {**phases(info, trace), "made": self._made(trace)}
            self._seen = (trace.step + 1, trace.loss)
        return self._told[1]

    def _made(self, trace: UpdateTrace) -> str:
        """Whether the update before was as it had been computed on the copy; empty if it was not seen here."""
        if self._seen is None or self._seen[0] != trace.step:
            return ""
        rows = self._run.curve.updates()
        return "".join(text.made(*self._seen, measured=float(row["loss"])) for row in rows[rows["step"] == trace.step])


def phases(info: RunInfo, trace: UpdateTrace) -> dict[str, Any]:
    """{"step", "heading", "phases": one a phase with "name", "meaning", "notes", "tiles", "head", "rows", "figure"}."""
    said = []
    for phase, name in enumerate(text.PHASES):
        head, rows = text.table(info, trace, phase)
        figure = {text.CLIP: figures.clip, text.UPDATE: figures.update}.get(phase)
        said.append({
            "name": name, "meaning": text.meaning(info, trace, phase), "notes": text.notes(info, trace, phase),
            "tiles": text.tiles(info, trace, phase), "head": head, "rows": rows,
            "figure": None if figure is None else json.loads(figure(trace).to_json()),
        })  # fmt: skip
    return {"step": trace.step, "heading": text.heading(trace), "phases": said}
