"""What a lesson is made of, once read: frozen values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from engine.experiment import Experiment
from engine.frame import Frame, RunStatus

SPEEDS: dict[str, float | None] = {"slow": 2.0, "normal": 25.0, "max": None}
"""Updates a second, by the name that a person picks; None is as fast as it goes."""
KINDS = ("lesson", "failure")
"""A lesson has a place in the course; a failure card shows one way of going wrong."""
GATES = ("exact", "trained", "shown")
"""How a claim is held: exact ones by every test run, trained ones by `make claims`, shown ones by nobody."""
VERDICTS = ("not_finite", "solved", "no_gradient", "cut", "dead", "no_path", "blind", "vanished", "vanishing", "fading",
            "healthy", "clipped", "plateau", "rising", "growing", "exploding")  # fmt: skip
"""The kinds of verdict that a condition can wait for; `engine.diagnosis` gives them."""
FIGURES = ("unrolled", "gradient", "loss")
"""The figures that a lesson is about where it names none."""


class PresetError(ValueError):
    """A preset file that cannot be: names the file, the key and what is accepted."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """Something to try next: `says` in a few words, and the settings that it changes."""

    says: str
    settings: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A sentence about a lesson, and the measurement that holds it.

    Args:
        says: the sentence.
        gate: one of GATES.
        measure: a name of `engine.claims.MEASURES`; empty for a claim that is only shown.
        settings: what is changed in the lesson's experiment before it is measured.
        against: further changes that give a second network; the value is then the first's divided by the second's.
        steps: updates made before measuring; None: none for an exact claim, the experiment's own for a trained one.
        above, below: the bounds, one or both; the value lies strictly between. equals: it is exactly this.
        seeds: each is measured by itself, and the claim holds for each.
    """

    says: str
    gate: str
    measure: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    against: dict[str, Any] | None = None
    steps: int | None = None
    above: float | None = None
    below: float | None = None
    equals: float | None = None
    seeds: tuple[int, ...] = (0, 1, 2)

    def holds(self, value: float) -> bool:
        """True where a measured value lies within the bounds; never for one that is not a number."""
        above = self.above is None or value > self.above
        below = self.below is None or value < self.below
        return above and below and (self.equals is None or value == self.equals) and value == value


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What a run must show, all of it; what is left out is not asked for.

    Args:
        says: what a person is asked to do, in a few words; empty for a prediction, which asks by itself.
        step: at least so many updates were made when the frame was taken.
        solved: the run was solved (`RunStatus.solved_at`).
        broken: the run stopped by itself, because a number became infinite.
        kind: the verdict on a frame is of this kind, one of VERDICTS.
        loss, metric: that frame's held-out loss is below the one, and its held-out metric at least the other.
        settings: these are in force in the run.
    """

    says: str = ""
    step: int = 0
    solved: bool = False
    broken: bool = False
    kind: str = ""
    loss: float | None = None
    metric: float | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def needs_training(self) -> bool:
        """False where the untrained network shows it."""
        return self.step > 0 or self.solved or self.broken or self.loss is not None or self.metric is not None

    def holds(self, experiment: Experiment, status: RunStatus, frames: Iterable[Frame]) -> Frame | None:
        """The first of the run's frames that shows it; None where it does not hold."""
        settings_at = all(getattr(experiment, name) == value for name, value in self.settings.items())
        if not settings_at or (self.solved and status.solved_at is None) or (self.broken and not status.message):
            return None
        return next((frame for frame in frames if self._shown_by(frame)), None)

    def _shown_by(self, frame: Frame) -> bool:
        kind = frame.diagnosis.kind if frame.diagnosis else ""
        return (
            frame.step >= self.step
            and (not self.kind or kind == self.kind)
            and (self.loss is None or frame.probe_loss < self.loss)
            and (self.metric is None or frame.metric >= self.metric)
        )


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A question to be answered before the run that answers it.

    Args:
        asks: the question. answers: two to four short ones, of which `right`, counted from 0, is true.
        because: why, in a sentence or two; shown once the run has shown it.
        settings: what is changed in the lesson's experiment for this run.
        when: what the run must have shown by then.
    """

    asks: str
    answers: tuple[str, ...]
    right: int
    because: str
    settings: dict[str, Any] = field(default_factory=dict)
    when: Condition = field(default_factory=Condition)


@dataclass(frozen=True, kw_only=True)
class Preset:
    """One lesson, or one failure card.

    Args:
        slug: the file's name. kind: one of KINDS. order: its place among its kind, from 1 on.
        chapter: the part of the course that it belongs to; consecutive presets of one chapter stand together.
        title, question, look_for: what the page says.
        explains: what is behind it, a few sentences of Markdown, shown beside the playground.
        text: more of it, for whoever reads on. Links in both may set figures, see `engine.preset.setting_links`.
        symptom: of a failure card: how it looks in one's own code and logs.
        figures: names of the two or three figures that it is about, for showing it to a room.
        next: what to change next.
        predict: what to guess before it is run.
        done: what completes it; None for a lesson that cannot be completed.
        claims: what is said to happen, and how that is held.
        speed: "slow", "normal" or "max". paused: it opens at step 0 and waits.
        note: what was measured, for the next teacher; not shown.
        file: the name of the teacher's file that it comes from; empty for those of the course.
    """

    slug: str
    order: int
    title: str
    question: str
    look_for: str
    experiment: Experiment
    kind: str = "lesson"
    chapter: str = ""
    explains: str = ""
    text: str = ""
    symptom: str = ""
    figures: tuple[str, ...] = FIGURES
    next: tuple[Change, ...] = ()
    predict: tuple[Prediction, ...] = ()
    done: Condition | None = None
    claims: tuple[Claim, ...] = ()
    speed: str = "normal"
    paused: bool = False
    note: str = ""
    file: str = ""
