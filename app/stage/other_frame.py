"""A frame that is shown in the place of the run's newest: of a typed sentence, of a changed network, or of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.frame import RunInfo
from engine.frame.typed_frame import TypedFrame
from engine.intervention.as_json import read_interventions
from engine.intervention.changed_frame import ChangedFrame
from engine.intervention.intervention import InterventionError
from engine.workers import CHANGED_FRAME, TYPED_FRAME
from engine.workers.run import Run

ONLY_LIVE = "What was changed is computed by the network as it is now: choose “live” to see it."


class OtherFrame:
    """Asks the run for such a frame at its newest step, once for each step and choice."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.is_live = True  # False while a past frame is shown, of which no other one can be known
        self.typed: Mapping[int, str] = {}
        self.sentence = ""  # that somebody typed in the place of the drawn sequence
        self.interventions: Sequence[dict[str, Any]] = ()  # as the browser sends them
        self._asked: tuple[Any, ...] = ()
        self._before: TypedFrame | ChangedFrame | None = None  # the answer to an earlier choice

    @property
    def _choice(self) -> tuple[Any, ...]:
        return self.sentence, dict(self.typed), list(self.interventions)

    @property
    def _is_wanted(self) -> bool:
        return self.is_live and self._is_chosen

    @property
    def _is_chosen(self) -> bool:
        return bool(self.sentence or self.typed or self.interventions)

    @property
    def _kind(self) -> Any:
        return CHANGED_FRAME if self.interventions else TYPED_FRAME

    def request(self, info: RunInfo, requested: Sequence[str], step: int) -> None:
        """Ask for it, with these readings; an intervention that this network does not have is not asked for."""
        if not self._is_wanted or self.refused(info) or self._run.is_pending(self._kind):
            return
        asked = (*self._choice, list(requested), step)
        if asked == self._asked:
            return
        if self._asked[:-2] != asked[:-2]:
            self._before = self._run.result(self._kind)
        self._asked = asked
        typed = {"changes": dict(self.typed), "sentence": self.sentence, "requested": requested}
        if self.interventions:
            made = read_interventions(list(self.interventions), info)
            self._run.request(CHANGED_FRAME, interventions=made, **typed)
        else:
            self._run.request(TYPED_FRAME, **typed)

    def result(self, info: RunInfo) -> TypedFrame | ChangedFrame | None:
        """The newest frame of what is chosen; None if nothing is, or it is not there yet."""
        if not self._is_wanted or self.problem(info) or self._asked[:-2] != self._choice:
            return None
        result = self._run.result(self._kind)
        return None if result is self._before else result

    def problem(self, info: RunInfo) -> str:
        """Why there is none, in a sentence; empty otherwise."""
        if not self.is_live and self._is_chosen:
            return ONLY_LIVE
        if not self._is_wanted:
            return ""
        return self.refused(info) or self._run.problem(self._kind)

    def refused(self, info: RunInfo) -> str:
        """Why these interventions cannot be made in this network, in a sentence; empty if they can."""
        try:
            read_interventions(list(self.interventions), info)
        except InterventionError as error:
            return str(error)
        return ""
