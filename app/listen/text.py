"""The notes and the text of the card "Listen": the target tune, and what the network plays."""

from __future__ import annotations

from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.tasks import probe, task_of

HEADING = "**Listen**: the tune, what the network played before training, and what it plays now"
TAKE = "Take what it plays now"
TUNE = "The tune"
BEFORE = "Before training"
NOW = "What the network plays"
NOT_TAKEN = "Nothing yet: press the button above."
NO_FIRST = "No frame was taken at step 0, so there is no recording of it."


def tune(experiment: Experiment) -> list[str]:
    """The displayed sequence's first note, which is given, and the notes that should follow."""
    batch, labels = probe(experiment), task_of(experiment).output_labels
    return [labels[note] for note in (batch.inputs[0, 0], *batch.targets[batch.mask[:, 0], 0])]


def played(info: RunInfo, frame: Frame) -> list[str]:
    """The first note, and what the network plays after it."""
    assert frame.free_outputs is not None
    chosen = frame.free_outputs[frame.counted].argmax(-1)
    return [info.output_labels[note] for note in (frame.inputs[0], *chosen)]


def score(notes: list[str], wanted: list[str]) -> str:
    """The notes, wrong ones struck out, and how many of those after the first are right."""
    pairs = list(zip(notes, wanted, strict=True))[1:]
    right = sum(note == target for note, target in pairs)
    written = " ".join(note if note == target else f":red[~~{note}~~]" for note, target in pairs)
    return f"{right} of {len(pairs)} notes right.  \n**{notes[0]}** {written}"


def title(name: str, frame: Frame) -> str:
    """The name of a player, and the step at which its frame was taken."""
    return f"**{name}**, step {frame.step:,}"
