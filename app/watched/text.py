"""The sentences of a watched training."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence

from app.watched.training import Shown, WatchedTraining
from engine.number_format import short
from engine.recording.error import INCONSISTENT
from engine.recording.growing import WHOLE_MODEL, FoundMistake, RecordedLook

STEP = "A step is one backward pass of the training."
WAITING = "Waiting for the first look. It comes with the first backward pass of the training."
NOTHING_MEASURED = "Nothing has been measured yet."
SILENT_AFTER = 180.0
"""Seconds without anything new after which this is said."""
SILENT = "No new look for {minutes} min. The training may have ended, or wait for something."
ENDED = "Watching has ended."
FINISHED = "A finished recording."
CUT_SHORT = "The training was cut short by {error}."
NO_END = "A recording without an end: the training was cut short, or the file was copied while it grew."
YOUR_MODEL = "Here model is your model, whatever its name in your script."
ONE_IS_SHOWN = "{shown} is shown. One .looks file is shown at a time, without other files: remove it to see {others}."
GROWS = "The training goes on."
MODULE = "Module"
PROOF = (
    "Proof: dL/dW computed from these states differs from what autograd brought to the weights by {difference} of "
    "its norm."
)
LOSS = "Loss in this backward pass: {loss}, the number that backward() was called on."
COST = "Cost of watching so far: {cost}."
UNRECORDED = (
    '{titles}: this costs more, and is recorded on request. In your script lens.show(["{reading}"]) or '
    'lens.record(path, ["{reading}"]), on the command line --request {reading}.'
)
CANNOT_BE_READ = "{name} cannot be read. {problem}"
LIST = "Recordings in this folder"
LIST_EMPTY = "There is no recording in this folder yet. It appears here with the first look."
MISTAKE = "mistake"
"""The kind of a verdict that is the sentence of a mistake."""
ERRORS = {"KeyboardInterrupt": "Ctrl-C", "SystemExit": "an exit with an error code"}
"""How errors are called that are no faults of a line; others have the name of their class."""


def clock(training: WatchedTraining) -> str:
    """How it stands with the recording, in a few words."""
    newest = training.newest
    if newest is not None and newest.ended_by:
        return CUT_SHORT.format(error=ERRORS.get(newest.ended_by, newest.ended_by))
    if not training.is_followed:
        return FINISHED if newest is None or newest.is_last else NO_END
    if not training.grows:
        return ENDED
    if training.silent_for >= SILENT_AFTER:
        return SILENT.format(minutes=int(training.silent_for // 60))
    return GROWS if training.newest is not None else ""


def message(training: WatchedTraining) -> str:
    """What must be said in place of figures, or above them; empty if nothing."""
    if training.problem or training.is_inconsistent:
        problem = training.problem or INCONSISTENT
        return CANNOT_BE_READ.format(name=training.name, problem=problem)
    if training.newest is None:
        return WAITING
    if training.modules():
        return ""
    return " ".join([NOTHING_MEASURED, *_refused(training.newest)])


def facts(
    shown: Shown | None, newest: RecordedLook | None, unrecorded: Mapping[str, Sequence[str]] = {}
) -> dict[str, Sequence[object]]:
    """What is said beside the figures: mistakes with their cures, wiring, refusals, and lines of loss, proof and cost.

    Of the shown module's mistakes that one is left out which is its verdict.

    Args:
        unrecorded: the titles of figures that need what was not asked for, by the name of that reading.
    """
    said = newest or (shown.recorded if shown is not None else None)
    if said is None:
        return {name: [] for name in ("mistakes", "elsewhere", "story", "links", "refusals", "unrecorded", "lines")}
    lines = [COST.format(cost=said.cost)] if said.cost else []
    if shown is not None and shown.module.proof is not None:
        lines = [PROOF.format(difference=short(shown.module.proof)), *lines]
    if shown is not None and shown.module.precision:
        lines = [shown.module.precision, *lines]
    if shown is not None and shown.recorded.loss is not None:
        lines = [LOSS.format(loss=short(shown.recorded.loss)), *lines]
    name = shown.module.name if shown is not None else None
    own = [each for each in said.mistakes if name in (None, each.module)]
    return {
        "mistakes": [[each.module, each.sentence, each.cure] for each in own if not _is_verdict(each, shown)],
        "elsewhere": [f"{each.module}: {each.sentence} {each.cure}" for each in said.mistakes if each not in own],
        "story": list(said.story),
        "links": list(shown.module.links) if shown is not None else [],
        "refusals": _refused(said),
        "unrecorded": [
            UNRECORDED.format(titles=" · ".join(titles), reading=reading) for reading, titles in unrecorded.items()
        ],
        "lines": lines,
    }  # fmt: skip


def _is_verdict(mistake: FoundMistake, shown: Shown | None) -> bool:
    """True if the verdict on the shown module says this already."""
    verdict = None if shown is None else shown.look.diagnosis
    return verdict is not None and verdict.kind == MISTAKE and verdict.advice == mistake.cure


def is_code(advice: str) -> bool:
    """True for lines to be copied into a script; False for a sentence."""
    try:
        ast.parse(advice)
    except (SyntaxError, ValueError):
        return False
    return True


def about_names(advice: str) -> str:
    """What is said of the names in lines of code; empty if nothing."""
    return YOUR_MODEL if is_code(advice) and re.search(r"\bmodel\b", advice) else ""


def _refused(look: RecordedLook) -> list[str]:
    """Why something is not measured, each reason with its module."""
    return [
        why if name == WHOLE_MODEL or why.startswith(name) else f"{name}: {why}" for name, why in look.refusals.items()
    ]
