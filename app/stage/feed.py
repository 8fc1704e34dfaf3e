"""One browser's view of the stage: what it wants to see, and the patches that are new to it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.figures.base import Patch, Quantised
from app.figures.over_time.hidden import scale_of
from app.slow_motion.feed import UpdateFeed
from app.stage.description import describe
from app.stage.microscope.values import values as values_of_cell
from app.stage.other_frame import OtherFrame
from app.stage.typed import not_known
from app.stage.values import before, logarithm, values, words
from app.step_through.feed import SequenceFeed
from app.step_through.place import Looked
from app.weights_file import matrix, step_of
from engine.frame import Frame, Look, RunInfo
from engine.frame.chain import Chain
from engine.frame.reading_request import ReadingRequest
from engine.intervention.as_json import MAX_INTERVENTIONS
from engine.intervention.changed_frame import ChangedFrame
from engine.intervention.intervention import Intervention
from engine.workers import WEIGHTS
from engine.workers.run import Run

STAGE = "stage"
"""The stage's name among the figures that a browser has on its screen."""
MAX_TYPED = 1000
MAX_CHARACTERS = 4000
"""More changed words than a sequence can have, or a longer sentence than the field takes, are no request of ours."""


@dataclass(frozen=True)
class Wanted:
    """What a browser has chosen on its stage.

    Args:
        t: a position on the time axis.
        chain: (layer, direction) of the cell whose numbers are shown. unit: of that cell.
        is_open: the cell is open under the microscope.
        follow: the position whose loss the ribbon follows; None for the last one.
        typed: {position: symbol} that take the place of the drawn sequence's.
        sentence: a whole text that takes its place; "" for none.
        matrix: the name of the parameter whose weights are shown; "" for none.
        slow: the next update is shown in slow motion.
        looked: where its sequence is stepped through; None outside of this mode.
        interventions: in the network, as `engine.intervention.as_json` reads them.
    """

    t: int
    chain: tuple[int, int]
    unit: int
    is_open: bool = False
    follow: int | None = None
    typed: Mapping[int, str] = field(default_factory=dict)
    matrix: str = ""
    slow: bool = False
    interventions: tuple[Any, ...] = ()
    sentence: str = ""
    looked: Looked | None = None

    @classmethod
    def of(cls, request: Any) -> Wanted | None:
        """Read a browser's request; None if it is not valid."""
        try:
            layer, direction = request["chain"]
            follow, matrix = request["follow"], request["matrix"] or ""
            typed, sentence = {int(t): word for t, word in request["typed"].items()}, request.get("sentence", "")
            numbers = [request["t"], layer, direction, request["unit"], *typed, *([] if follow is None else [follow])]
        except (TypeError, KeyError, ValueError, AttributeError):
            return None
        whole = all(type(number) is int and number >= 0 for number in numbers)
        text = all(isinstance(word, str) for word in (*typed.values(), matrix, sentence))
        if not whole or not text or len(typed) > MAX_TYPED or len(sentence) > MAX_CHARACTERS:
            return None
        is_open, slow = (request.get(name) is True for name in ("open", "slow"))
        interventions = request.get("interventions", [])
        if not isinstance(interventions, list) or len(interventions) > MAX_INTERVENTIONS:
            return None
        chosen = (numbers[0], (layer, direction), numbers[3], is_open, follow, typed, matrix, slow)
        return cls(*chosen, tuple(interventions), sentence, Looked.of(request.get("walk")))


class StageFeed:
    """Knows what was sent to one browser's stage, and so what is new."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.wanted: Wanted | None = None
        self._other = OtherFrame(run)
        self._sent: tuple[Any, ...] = ()
        self.told: dict[str, Any] = {}  # what of the news was sent last, by name
        self._asked_for = ""
        self._drawn: tuple[bytes, ...] = ()  # the run's sequence, and what is said of it:
        self._own: Patch = {}
        self._update, self._sequence = UpdateFeed(run), SequenceFeed(run)

    def receive(self, request: Any) -> None:
        """Store what the browser has chosen, and request what this needs; an invalid request means nothing."""
        self.wanted = Wanted.of(request)
        name = "" if self.wanted is None else self.wanted.matrix
        if name and name != self._asked_for:
            self._run.request(WEIGHTS)
        self._asked_for = name
        self._update.is_wanted = self.wanted is not None and self.wanted.slow
        self._sequence.looked = None if self.wanted is None else self.wanted.looked
        if self.wanted is not None:
            self._sequence.chain = self.wanted.chain
        drawn = self.wanted is None or self.wanted.looked is not None  # whose trace is that of the sequence drawn
        self._other.typed = {} if self.wanted is None or drawn else self.wanted.typed
        self._other.sentence = "" if self.wanted is None or drawn else self.wanted.sentence
        self._other.interventions = () if self.wanted is None or drawn else self.wanted.interventions

    @property
    def is_live(self) -> bool:
        """False while a past frame is shown."""
        return self._other.is_live

    @is_live.setter
    def is_live(self, on: bool) -> None:
        self._other.is_live = self._sequence.is_live = on

    def requires(self) -> set[str]:
        """The on-demand readings that the next frame must have for what is chosen."""
        if self.wanted is None:
            return set()
        needed = set()
        if self.wanted.chain != (self._run.info.num_layers - 1, 0):  # whose terms every frame has
            needed.add(str(ReadingRequest("terms", self.wanted.chain)))
        if self.wanted.follow is not None:
            needed.add(str(ReadingRequest("followed", (self.wanted.follow,))))
        return needed

    def is_due(self, frame: Frame) -> bool:
        """True if this frame, or something that was chosen, was not sent. Asks for what this needs, too."""
        self._other.request(self._run.info, sorted(self.requires()), frame.step)
        self._update.request()
        self._sequence.request(self._run.info)
        return self._sent != self._state(frame)

    def patch(self, info: RunInfo, frame: Frame) -> Patch:
        """The numbers of a frame, or of the one that is shown in its place, and what is new beside them."""
        self._sent = self._state(frame)
        typed, update = self._other.result(self._run.info), self._update.shown()
        other = typed if update is None else update
        shown, of = (frame, self._sequence.info(info)) if other is None else (other.frame, other.info(info))
        made, untouched = (other.interventions, other.untouched) if isinstance(other, ChangedFrame) else ((), None)
        changed = {**values(of, shown), **self._followed(of, shown), **cell_values(of, shown, self.wanted, made)}
        read = {
            **self._sequence_of_run(info, frame, of, shown),
            "matrix": None,
            "typedProblem": self._other.problem(self._run.info),
            "typedNote": not_known(info, self._other.sentence),
            "refusedChange": self._other.refused(self._run.info),
            "isTyped": typed is not None and bool(self._other.typed or self._other.sentence),
            "changes": [str(each) for each in made],
            **before(of, untouched),
            "update": self._update.told(info),
            "updateProblem": self._update.problem,
            **self._sequence.told(info),
            "walkProblem": self._sequence.problem,
        }
        if typed is not None and other is typed:
            known = typed.targets_known[shown.valid]
            read["targets"] = [goal if sure else None for goal, sure in zip(read["targets"], known, strict=True)]
        read |= self._weights()
        keys = {name: _key(value) for name, value in read.items()}
        news = {name: value for name, value in read.items() if keys[name] != self.told.get(name)}
        self.told = keys
        return changed | news

    @property
    def is_plain(self) -> bool:
        """True if its browser asks for nothing but the numbers of a frame, so that no request goes to the run."""
        chosen = self.wanted
        return chosen is None or not (
            chosen.slow or chosen.looked or chosen.typed or chosen.sentence or chosen.interventions or chosen.matrix
        )

    @property
    def choice(self) -> tuple[Any, ...]:
        """What a patch depends on besides the frame, where the browser asks for nothing else."""
        chosen = self.wanted
        return () if chosen is None else (chosen.t, chosen.chain, chosen.unit, chosen.is_open, chosen.follow)

    def note_sent(self, frame: Frame, told: dict[str, Any]) -> None:
        """A patch with this frame was sent that another browser's feed had made, which was told this."""
        self._sent, self.told = self._state(frame), told

    def _sequence_of_run(self, info: RunInfo, frame: Frame, of: RunInfo, shown: Frame) -> Patch:
        """The words of the sequence that is shown, and the description; of the run's own they are made once."""
        if of is not info or shown is not frame:
            return {**words(of, shown), "description": describe(of)}
        drawn = tuple(np.asarray(array).tobytes() for array in (frame.inputs, frame.targets, frame.counted))
        if drawn != self._drawn:
            self._drawn, self._own = drawn, {**words(info, frame), "description": describe(info)}
        return self._own

    def _state(self, frame: Frame) -> tuple[Any, ...]:
        """Everything on which a patch depends."""
        weights = self._run.result(WEIGHTS) if self._asked_for else None
        info = self._run.info
        other = (self._other.result(info), self._other.problem(info), self._update.trace(), self._update.problem)
        return frame, self.wanted, weights, *other, *self._sequence.state()

    # What was chosen.

    def _followed(self, info: Chain, frame: Frame) -> Patch:
        """The gradient of the loss that is followed, if this frame has it."""
        followed = frame.followed
        if self.wanted is None or self.wanted.follow is None:
            return {}
        if followed is None or followed.step != self.wanted.follow:
            return {"followedStep": None}
        real = np.flatnonzero(frame.valid)
        return {
            "followedStep": followed.step,
            "followed": logarithm(followed.relative[:, :, real]),
            "followedHigh": logarithm(followed.relative_high[:, :, real]),
        }

    def _weights(self) -> Patch:
        """The weights of the matrix that is open, if they have come."""
        content = self._run.result(WEIGHTS) if self._asked_for else None
        if content is None:
            return {}
        table = matrix(content, self._asked_for)
        if table is None:
            return {}
        sizes = np.abs(table[np.isfinite(table)])
        most = float(sizes.max(initial=0)) or 1.0
        about = {"name": self._asked_for, "rows": table.shape[0], "columns": table.shape[1], "most": most}
        about |= {"step": step_of(content), "mean": float(sizes.mean()) if sizes.size else 0.0}
        return {"matrix": about, "weights": Quantised.of(table.ravel(), most)}


def cell_values(info: Chain, look: Look, wanted: Wanted | None, interventions: Sequence[Intervention] = ()) -> Patch:
    """Every number of the chosen cell and unit at the chosen step; for the microscope also all of its units."""
    if wanted is None or wanted.chain not in info.chains or wanted.t >= info.steps_of(wanted.chain[1]):
        return {}
    (layer, direction), unit = wanted.chain, min(wanted.unit, info.hidden_size - 1)
    has_terms = look.terms is not None and (look.terms.layer, look.terms.direction) == wanted.chain
    found = values_of_cell(
        info, look, layer, direction, unit, wanted.t, look.terms if has_terms else None, interventions
    )
    written = {name: _written(float(value)) for name, value in found.items()}
    changed: Patch = {"cellValues": written, "cellOf": [wanted.t, layer, direction, unit]}
    if wanted.is_open:
        memory = look.hidden if look.cell is None else look.cell
        states = memory[layer, direction, wanted.t]
        changed |= {"cellUnits": Quantised.of(states, scale_of(states)), "cellScale": scale_of(memory)}
    return changed


def _key(value: Any) -> Any:
    """What is equal only for equal values; an array by its bytes."""
    if isinstance(value, Quantised):
        return value.values.tobytes(), value.scale
    return value.tobytes() if isinstance(value, np.ndarray) else repr(value)


def _written(value: float) -> float | None:
    """A number for JSON with enough digits for the screen; None where it is not finite."""
    return float(f"{value:.5g}") if math.isfinite(value) else None
