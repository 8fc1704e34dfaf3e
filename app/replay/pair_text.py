"""What is said of two recordings: how they differ, what cannot be compared, and where each one is."""

from __future__ import annotations

from collections.abc import Sequence

from app import text
from app.figures.compare.base import LaneSnapshot
from app.figures.compare.on_other_data import steps_back
from app.figures.over_time.gradient import has_same_steps
from app.figures.over_training.loss import has_same_loss
from app.live.feed import verdict
from app.replay import player
from engine.cells import CELLS
from engine.experiment import Experiment
from engine.recording import Recording
from engine.tasks import task_of

LETTERS = "AB"
HEADING = "{a} and {b}, one over the other"
SAME = "Both have the same settings at the start."
DIFFER = "A has {a}; B has {b}."
CHANGED = "During training, {letter} got {changes}."
OTHER_LOSS = (
    "The data differ, so a loss of A and one of B cannot be compared: each is drawn relative to its own loss to beat."
)
OTHER_SUM = "One loss is a sum and the other is not of as many terms: each is drawn relative to its own loss to beat."
OTHER_SEQUENCES = "A and B have different losses to beat: each loss is drawn relative to its own."
OTHER_STEPS = "Their sequences have different steps, so the gradients are drawn by steps back from the last loss."
ONE_STEP = "{letters} read a single step, so there is no gradient over time to compare."
ENDS = "{letter} ends at step {step:,}; after that its last frame stays."
NO_RECORD = "{letters}: an older recording, whose held-out loss is that of 16 sequences."
PROBLEM = "**{name}:** {problem} {accepted}"
ACCEPTED = "Accepted: the zip file that Export in the playground saves under the name Recording."
NOT_TOGETHER = "This recording cannot be drawn together with {name}."
TOO_MANY = "Two recordings can be compared: the first two are shown."
KEPT = "What was open before is still shown."
SWAP = "Swap A and B"
TRAIN = "Train {letter} in the playground"
SAVE = "Save this comparison as one HTML file"
PLAYER = "Two recordings: figures at the training step of the slider"
TABLE = "The numbers of every frame of both, as a table"


def names(one: Experiment, other: Experiment) -> tuple[str, str]:
    """The names of both, in short: the cell, and if that is the same, what else differs."""

    def name(own: Experiment, its: Experiment) -> str:
        title = CELLS[own.cell].title
        return title if own.cell != its.cell else ", ".join([title, *text.changed(own, its)[:2]])

    return name(one, other), name(other, one)


def differences(one: Recording, other: Recording) -> list[str]:
    """Sentences: which settings differ at the start, and what was changed in each during training."""
    a, b = (
        text.changed(own.experiment, its.experiment) or ["the usual"]
        for own, its in ((one, other), (other, one))
    )  # fmt: skip
    same = not text.changed(one.experiment, other.experiment) and not text.changed(other.experiment, one.experiment)
    said = [SAME if same else DIFFER.format(a=", ".join(a), b=", ".join(b))]
    return said + [
        CHANGED.format(letter=letter, changes=player.listed(each.changes))
        for letter, each in zip(LETTERS, (one, other), strict=True)
        if each.changes
    ]


def limits(one: Recording, other: Recording) -> list[str]:
    """Sentences: what cannot be compared, and how it is drawn instead."""
    a, b = one.info, other.info
    said = []
    if not a.experiment.has_data_of(b.experiment):
        said.append(OTHER_LOSS)
    elif not has_same_loss(a, b):
        said.append(OTHER_SUM)
    elif not has_same_line(one, other):
        said.append(OTHER_SEQUENCES)
    short = [letter for letter, info in zip(LETTERS, (a, b), strict=True) if steps_back(info) < 2]
    if short:
        said.append(ONE_STEP.format(letters=" and ".join(short) if len(short) == 2 else f"{short[0]} has"))
    elif not has_same_steps(a, b):
        said.append(OTHER_STEPS)
    old = [letter for letter, each in zip(LETTERS, (one, other), strict=True) if not each.frames[-1].has_record]
    if old:
        said.append(NO_RECORD.format(letters=" and ".join(old)))
    last = [each.frames[-1].step for each in (one, other)]
    if last[0] != last[1]:
        at = last.index(min(last))
        said.append(ENDS.format(letter=LETTERS[at], step=last[at]))
    return said


def has_same_line(one: Recording, other: Recording) -> bool:
    """True if both losses can be drawn on one axis with one loss to beat."""
    records = [each.frames[-1].has_record for each in (one, other)]
    lines = [
        next(iter(each.info.judged_baselines(known).values()))
        for each, known in zip((one, other), records, strict=True)
    ]
    return (
        has_same_loss(one.info, other.info) and records[0] == records[1] and abs(lines[0] - lines[1]) < 1e-3 * lines[0]
    )


def summary(one: Recording, other: Recording) -> list[str]:
    """The heading, then all sentences."""
    a, b = (task_of(each.experiment).title for each in (one, other))
    short = [
        f"{letter} · {name}" for letter, name in zip(LETTERS, names(one.experiment, other.experiment), strict=True)
    ]
    heading = HEADING.format(a=short[0], b=short[1])
    return [f"{heading}: {a if a == b else f'{a} and {b}'}", *differences(one, other), *limits(one, other)]


def card(lane: LaneSnapshot) -> dict[str, str]:
    """A lane's verdict at its frame, and which frame that is."""
    said = verdict(lane.info, lane.frame)
    return {
        "name": lane.label,
        "word": said.get("word", "–"),
        "sign": said.get("sign", "·"),
        "tone": said.get("tone", "none"),
        "sentence": said.get("sentence", ""),
        "numbers": said.get("numbers", ""),
        "at": f"step {lane.frame.step:,}",
    }


def files(opened: Sequence[str]) -> str:
    """Which file is which letter."""
    return " · ".join(f"**{letter}** {text.plain(name)}" for letter, name in zip(LETTERS, opened, strict=False))
