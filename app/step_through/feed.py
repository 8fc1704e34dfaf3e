"""One browser's view of a sequence that is stepped through: its trace, what is said at a place, and verifications."""

from __future__ import annotations

import dataclasses
from typing import Any

from app.figures.base import Quantised
from app.step_through import text, verification
from app.step_through.place import Looked, Place
from engine.frame import RunInfo, RunPhase
from engine.step_through.sequence_trace import SequenceTrace
from engine.step_through.verification_result import GradientEntry, Verification
from engine.workers import SEQUENCE_TRACE, VERIFICATION
from engine.workers.run import Run

Chain = tuple[int, int]


class SequenceFeed:
    """Asks for the trace of the chosen chain while somebody wants to see it and the run stands still."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.looked: Looked | None = None  # what the browser asks for; None outside of the mode
        self.chain: Chain = (-1, 0)
        self.is_live = True  # False while a past frame is shown, of which there is no trace
        self._asked: tuple[int, Chain] | None = None
        self._verified: tuple[int, GradientEntry] | None = None

    @property
    def is_wanted(self) -> bool:
        """True in the mode."""
        return self.looked is not None and self.is_live

    def request(self, info: RunInfo) -> None:
        """Ask for the trace once for each step and chain, and for a verification once: none that failed is repeated."""
        status = self._run.status()
        now = (status.step, self.chain)
        stands = status.phase != RunPhase.RUNNING and self.chain in info.chains
        if self.is_wanted and stands and self._asked != now and not self._run.is_pending(SEQUENCE_TRACE):
            self._asked = now
            self._run.request(SEQUENCE_TRACE, layer=self.chain[0], direction=self.chain[1])
        entry = self._entry(info)
        if entry is not None and self._verified != (status.step, entry):
            self._verified = status.step, entry
            self._run.request(VERIFICATION, entry=entry)

    def trace(self) -> SequenceTrace | None:
        """The trace of the chosen chain of the network as it is; None if it is not wanted or not there yet."""
        trace = self._run.result(SEQUENCE_TRACE) if self.is_wanted else None
        if trace is None or (trace.step, trace.layer, trace.direction) != (self._run.status().step, *self.chain):
            return None
        return trace

    @property
    def problem(self) -> str:
        """Why there is no trace, in a sentence; empty otherwise."""
        if self.looked is None:
            return ""
        return self._run.problem(SEQUENCE_TRACE) if self.is_live else text.ONLY_LIVE

    def state(self) -> tuple[Any, ...]:
        """Everything on which `told` depends, besides what the browser asks for."""
        verified = (self._run.result(VERIFICATION), self._run.is_pending(VERIFICATION), self._run.problem(VERIFICATION))
        return self.trace(), self.problem, *(verified if self.is_wanted else ())

    def info(self, of_run: RunInfo) -> RunInfo:
        """What a drawing needs to know: in the mode it shows this one sequence, not a median over several."""
        return dataclasses.replace(of_run, same_lengths=False) if self.looked is not None else of_run

    def told(self, info: RunInfo) -> dict[str, Any]:
        """{"walk": all that the browser shows beside the network at its place, "jacobian": of the step}.

        Both are None without a trace, the second one also without a link in time.
        """
        trace = self.trace()
        if trace is None or self.looked is None:
            return {"walk": None, "jacobian": None}
        place = self._within(info, trace, self.looked.place)
        n = len(trace.positions)
        values = None if trace.jacobians is None else trace.jacobians[place.step(n)]
        scale = 1.0 if values is None else text.jacobian_scale(values)
        back = place.back(n)
        told = {
            "of": [place.at, place.unit, place.source, place.gate],
            "step": trace.step,
            "largest": text.largest_unit(trace),
            "where": text.where(info, trace, place),
            "happens": text.happens(info, trace, place),
            "gates": text.gates(info),
            "head": text.HEAD,
            "flow": text.flow(trace, place) if back else [],
            "factor": text.factor(info, trace, place.step(n)) if back else "",
            "norms": text.norms(trace) if back else "",
            "weight": text.weight(info, trace, place),
            "jacobian": None if values is None else {
                "title": text.jacobian_title(info, trace, place.step(n)),
                "note": text.jacobian_note(info, trace, scale), "units": trace.units.tolist(), "size": len(values),
                "scale": scale,
            },
            "noLink": text.NO_LINK if values is None else "",
            "entries": list(verification.entries(info, trace, place)),
            **self._verification(info),
        }  # fmt: skip
        return {"walk": told, "jacobian": None if values is None else Quantised.of(values.ravel(), scale)}

    def _within(self, info: RunInfo, trace: SequenceTrace, place: Place) -> Place:
        return place.within(len(trace.positions), info.hidden_size, len(text.gates(info)))

    # Verify.

    def _entry(self, info: RunInfo) -> GradientEntry | None:
        """The number that the browser wants verified, if the network has it."""
        trace = self.trace()
        if trace is None or self.looked is None or self.looked.verify is None:
            return None
        which, place = self.looked.verify
        offered = verification.entries(info, trace, self._within(info, trace, place))
        return offered.get(verification.ENTRIES[which]) if which < len(verification.ENTRIES) else None

    def _verification(self, info: RunInfo) -> dict[str, Any]:
        entry, result = self._entry(info), self._run.result(VERIFICATION)
        if entry is None:
            return {"verifying": "", "verified": None, "refused": ""}
        pending = self._run.is_pending(VERIFICATION)
        refused = "" if pending else self._run.problem(VERIFICATION)
        fits = result is not None and not refused and (result.what, result.step) == (entry, self._run.status().step)
        return {
            "verifying": verification.VERIFYING if pending and not fits else "",
            "verified": _written(result) if fits and result is not None else None,
            "refused": refused,
        }


def _written(result: Verification) -> dict[str, Any]:
    return {
        "symbol": verification.entry_symbol(result.what),
        "agrees": verification.agrees(result),
        "rows": verification.verification_rows(result),
        "how": verification.how(result),
    }
