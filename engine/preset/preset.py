"""The parts of a parsed lesson, as frozen values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from engine.bugs import KNOWN_BUGS
from engine.experiment import Experiment
from engine.frame import Frame, RunStatus

SPEEDS: dict[str, float | None] = {"slow": 2.0, "normal": 25.0, "max": None}
"""Speed name to updates per second; None is unlimited."""
KINDS = ("lesson", "failure", "bug")
"""A lesson is part of the course; a failure card shows one way in which training fails, a bug card a wrong line."""
GATES = ("exact", "trained", "shown")
"""How a claim is checked: "exact" by every test run, "trained" by `make claims`, "shown" not at all."""
VERDICTS = ("not_finite", *KNOWN_BUGS, "diverged", "sees_answer", "untrained", "solved", "by_heart", "nearly", "enough",
            "overfitting", "no_gradient", "cut", "dead",
            "no_path", "blind", "vanished", "vanishing", "fading", "healthy", "clipped", "plateau", "same_answer",
            "behind", "rising", "growing", "exploding")  # fmt: skip
"""The kinds of verdict that a condition can wait for; `engine.diagnosis` gives them."""
OPEN = ("healthy", "rising")
"""What an untrained network was called, and still counts as, where nothing is in the gradient's way."""
FIGURES = ("unrolled", "gradient", "loss")
"""The figures of a lesson that names none."""
CARDS = ("equations",)
"""The cards below the figures that a lesson can unfold."""
ASK = "ask"
"""Stands for the card "Ask the network" where a symptom shows in what the network says."""


class PresetError(ValueError):
    """An invalid preset file: names the file, the key and what is accepted.

    Args:
        message: the whole sentence.
        says: the same without the file and the part of it, for a page that shows it beside the value.
        place: where the value stands in the settings, as ("predict", 0, "answers"); empty for the file as a whole.
        is_shape: True for an unknown key or a value of the wrong type, which no field of a form could show.
    """

    def __init__(
        self, message: str, *, says: str = "", place: tuple[str | int, ...] = (), is_shape: bool = False
    ) -> None:
        self.says, self.place, self.is_shape = says or message, place, is_shape
        super().__init__(message)


class BeingReadError(PresetError):
    """A lesson that cannot be used yet, because its data are still being read; nothing else is known to be wrong."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A suggestion of what to try next: a few words (`says`), and the settings to change."""

    says: str
    settings: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A sentence about a lesson, and the measurement that checks it.

    Args:
        says: the sentence.
        gate: one of GATES.
        measure: a name of `engine.claims.MEASURES`; empty for a claim that is only shown.
        settings: changes of the lesson's experiment for the measurement.
        against: further changes for a second network; the value is then the first's divided by the second's.
        steps: updates before measuring; None means 0 for an exact claim, the experiment's steps for a trained one.
        above, below: the bounds, one or both; the value lies strictly between. equals: it is exactly this.
        seeds: measured one by one; the claim must hold for each.
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
        """True if a measured value is within the bounds; False for NaN."""
        above = self.above is None or value > self.above
        below = self.below is None or value < self.below
        return above and below and (self.equals is None or value == self.equals) and value == value


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Conditions that a run must meet, all at once; fields left at their defaults are ignored.

    Args:
        says: the task for the learner, in a few words; empty for a prediction, which has a question.
        step: the frame was taken after at least so many updates.
        solved: the run was solved (`RunStatus.solved_at`).
        broken: the run stopped with a message, because a number was not finite.
        kind: the verdict on the frame, one of VERDICTS.
        loss, metric: the frame's held-out loss is below `loss`, its held-out metric at least `metric`.
        settings: values that the run's settings must have.
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
        """False if the untrained network can meet the condition."""
        return self.step > 0 or self.solved or self.broken or self.loss is not None or self.metric is not None

    def holds(self, experiment: Experiment, status: RunStatus, frames: Iterable[Frame]) -> Frame | None:
        """The first of the run's frames that meets the condition; None if there is none."""
        same_settings = all(getattr(experiment, name) == value for name, value in self.settings.items())
        if not same_settings or (self.solved and status.solved_at is None) or (self.broken and not status.message):
            return None
        return next((frame for frame in frames if self._is_met_by(frame)), None)

    def _is_met_by(self, frame: Frame) -> bool:
        kind = frame.diagnosis.kind if frame.diagnosis else ""
        return (
            frame.step >= self.step
            and (not self.kind or kind == self.kind or (kind == "untrained" and self.kind in OPEN))
            and (self.loss is None or frame.probe_loss < self.loss)
            and (self.metric is None or frame.metric >= self.metric)
        )


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A question that the learner answers before the run shows the answer.

    Args:
        asks: the question. answers: two to four short ones; `right` is the index of the correct one.
        because: the explanation, in a sentence or two; shown once the condition is met.
        settings: changes of the lesson's experiment for this run.
        when: the condition at which the answer is shown.
    """

    asks: str
    answers: tuple[str, ...]
    right: int
    because: str
    settings: dict[str, Any] = field(default_factory=dict)
    when: Condition = field(default_factory=Condition)


@dataclass(frozen=True, kw_only=True)
class SeenAs:
    """A symptom, in the words of somebody whose own network shows it, for the list "What do you see?".

    Args:
        says: what one sees, in a few words, without a full stop.
        figure: the one of the lesson's `figures` that shows it, or ASK.
        settings: changes of the lesson's experiment that show it; usually none.
    """

    says: str
    figure: str
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Preset:
    """One lesson, or one failure card.

    Args:
        slug: the file's name. kind: one of KINDS. order: position among those of its kind, from 1.
        chapter: the part of the course that it belongs to; consecutive presets of a chapter are grouped.
        title, question, look_for: texts of the page.
        explains: the explanation, a few sentences of Markdown, shown beside the playground.
        text: a longer explanation. Links in both may change settings, see `engine.preset.setting_links`.
        symptom: of a failure card: how the failure looks in one's own code and logs.
        wrong, right: of a bug card: the wrong line of PyTorch, and the right one.
        seen_as: symptoms that lead to it from the list "What do you see?".
        figures: names of one to three figures that it is about, for presentations.
        card: the card below the figures that it unfolds, one of CARDS; empty for none.
        next: suggestions of what to change next.
        predict: questions to answer before the run.
        done: the condition that completes it; None if it cannot be completed.
        claims: statements about it and how they are checked.
        speed: "slow", "normal" or "max". paused: True to open at step 0 without training.
        note: measurements, for authors; not shown.
        data: name of the file with its own data, which lies beside the lesson's; empty for a task of the catalogue.
        data_choices: what its author chose instead of the reader's guesses, as in `engine.data.choices`; and the kind.
        file: name of the teacher's file; empty for lessons of the course.
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
    wrong: str = ""
    right: str = ""
    seen_as: tuple[SeenAs, ...] = ()
    figures: tuple[str, ...] = FIGURES
    card: str = ""
    next: tuple[Change, ...] = ()
    predict: tuple[Prediction, ...] = ()
    done: Condition | None = None
    claims: tuple[Claim, ...] = ()
    speed: str = "normal"
    paused: bool = False
    note: str = ""
    data: str = ""
    data_choices: dict[str, Any] = field(default_factory=dict, hash=False)
    file: str = ""
