"""A music task: a tune determined by its first note."""

from __future__ import annotations

from functools import cache

import numpy as np

from engine.tasks.base import NO_ANSWER, NO_SYMBOL, DataSettings, Lengths, Metric, Task, accuracy, full_lengths
from engine.tasks.batch import Batch
from engine.tasks.entropy import conditional_entropy

NOTES = ("C4", "D4", "E4", "F4", "G4", "A4", "B4", "C5", "D5", "E5", "F5", "G5", "A5", "B5", "C6")
SEMITONES = {"C": -9, "D": -7, "E": -5, "F": -4, "G": -2, "A": 0, "B": 2}
"""Above A of the same octave; octaves begin at C."""
MELODIES = (  # made up for this playground; each has its own first note, and all end on a C
    "C4 E4 G4 E4 F4 A4 G4 E4  D4 F4 A4 F4 G4 B4 C5 G4  A4 C5 B4 G4 A4 F4 E4 D4  C4",
    "D4 E4 F4 D4 G4 F4 E4 C4  E4 F4 G4 E4 A4 G4 F4 D4  F4 G4 A4 B4 C5 G4 E4 D4  C4",
    "E4 G4 C5 G4 A4 G4 F4 E4  F4 A4 D5 A4 B4 A4 G4 F4  E4 G4 C5 E5 D5 B4 G4 B4  C5",
    "F4 E4 D4 E4 F4 G4 A4 G4  A4 B4 C5 B4 A4 G4 F4 E4  D4 E4 F4 A4 G4 F4 E4 D4  C4",
    "G4 C5 D5 E5 D5 C5 B4 G4  A4 B4 C5 D5 C5 B4 A4 G4  G4 C5 E5 G5 F5 D5 B4 D5  C5",
    "A4 G4 E4 G4 A4 C5 A4 G4  C5 D5 E5 D5 C5 A4 G4 E4  G4 A4 C5 A4 G4 E4 D4 E4  C4",
    "B4 C5 D5 B4 C5 D5 E5 C5  D5 E5 F5 D5 E5 F5 G5 E5  A5 G5 F5 E5 D5 G4 A4 B4  C5",
    "C5 E5 G5 C6 B5 G5 A5 F5  G5 E5 F5 D5 E5 C5 D5 B4  C5 D5 E5 F5 G5 E5 D5 B4  C5",
)
TUNES = np.array([[NOTES.index(note) for note in tune.split()] for tune in MELODIES]).T  # (25, 8)


def semitones(note: str) -> int:
    """The height of a note such as "C4" in semitones above A4; below it negative."""
    return 12 * (int(note[1:]) - 4) + SEMITONES[note[0]]


def _draw(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    seq_len = experiment.seq_len
    tunes = TUNES[: seq_len + 1, rng.integers(0, TUNES.shape[1], batch_size)]
    return Batch(tunes[:-1], tunes[1:], np.ones((seq_len, batch_size), bool), full_lengths(seq_len, batch_size))


def _rest_of_tune(experiment: DataSettings, inputs: np.ndarray) -> np.ndarray:
    """The rest of the tune that begins with the first note; NO_ANSWER where no tune does."""
    begins = TUNES[0] == inputs[0][:, None]  # (batch, tunes)
    rest = TUNES[1 : len(inputs) + 1, begins.argmax(1)]
    return np.where(begins.any(1), rest, NO_ANSWER)


def _encode(experiment: DataSettings, text: str) -> Batch:
    """The first note alone; the network generates the rest."""
    shape, note = (experiment.seq_len, 1), text.strip().upper()
    if note not in NOTES:
        raise ValueError(f"One note from {NOTES[0]} to {NOTES[-1]} can be read here, but got “{text.strip()}”.")
    inputs = np.full(shape, NO_SYMBOL)
    inputs[0] = NOTES.index(note)
    return Batch(inputs, np.zeros(shape, np.int64), np.ones(shape, bool), full_lengths(*shape))


@cache
def _baselines(seq_len: int) -> dict[str, float]:
    """Over the first notes of all eight tunes, seq_len + 1 of each."""
    before, notes = TUNES[:seq_len].ravel(), TUNES[1 : seq_len + 1].ravel()
    equal = np.ones(len(notes))
    return {
        "knowing how common each note is": conditional_entropy(np.zeros_like(notes), notes, equal),
        "knowing only the note before": conditional_entropy(before, notes, equal),
    }


MELODY = Task(
    slug="melody",
    family="Music",
    title="A tune from one note",
    teaches="One note in, a tune out: the tunes share their notes, so it must remember which one it is playing.",
    source="Generated: eight short tunes in C major, made up for this playground. Train and test play the same eight.",
    rnn_types=("one_to_many",),
    lengths=Lengths(4, len(TUNES) - 1, len(TUNES) - 1),
    inputs="symbols",
    outputs="symbols",
    input_labels=NOTES,
    output_labels=NOTES,
    metric=Metric("right notes", accuracy),
    draw=_draw,
    baselines=lambda experiment: _baselines(experiment.seq_len),
    lag=lambda experiment: experiment.seq_len - 1,  # the first note determines the whole tune
    audible=True,
    answers=_rest_of_tune,
    encode=_encode,
    asks="The first note, C4 to C5 (it knows no tune that begins higher)",
    example="G4",
)
