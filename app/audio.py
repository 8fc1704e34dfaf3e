"""Notes as sound: NumPy in, NumPy out."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

SAMPLE_RATE = 22_050  # samples per second
NOTE_SECONDS = 0.22
PARTIALS = (1.0, 0.3, 0.12)
"""Loudness of the tone itself and of its 2nd and 3rd harmonics."""
LOUDNESS = 0.8  # of what can be played without clipping
ATTACK, RELEASE = 0.012, 0.04  # seconds of fading in and out: without them every note would click
DECAY = 0.15  # seconds in which a note falls to 1/e
SEMITONES = {"C": -9, "D": -7, "E": -5, "F": -4, "G": -2, "A": 0, "B": 2}
"""Above A of the same octave; octaves begin at C."""


def frequency(note: str) -> float:
    """Of a note like "C4", in Hz: equal temperament, A4 = 440 Hz."""
    return 440.0 * 2 ** (int(note[1:]) - 4 + SEMITONES[note[0]] / 12)


def waveform(notes: Iterable[str]) -> np.ndarray:
    """The notes one after the other: float32 between -1 and 1, NOTE_SECONDS each, at SAMPLE_RATE."""
    return np.concatenate([_tone(note) for note in notes])


def _tone(note: str) -> np.ndarray:
    """One note, with a soft beginning and end."""
    seconds = np.arange(round(NOTE_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    turns = frequency(note) * seconds
    tone = sum(part * np.sin(2 * np.pi * k * turns) for k, part in enumerate(PARTIALS, start=1))
    fade = np.minimum(_rise(seconds / ATTACK), _rise((seconds[-1] - seconds) / RELEASE))
    return (LOUDNESS / sum(PARTIALS) * tone * fade * np.exp(-seconds / DECAY)).astype(np.float32)


def _rise(share: np.ndarray) -> np.ndarray:
    """From 0 to 1 along half a cosine, then 1."""
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(share, 0, 1))
