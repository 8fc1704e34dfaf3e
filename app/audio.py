"""Synthesise notes and speech: NumPy in, NumPy out."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engine.tasks.music import semitones
from engine.tasks.speech import FRAME_SECONDS

SAMPLE_RATE = 22_050  # samples per second
NOTE_SECONDS = 0.22
PARTIALS = (1.0, 0.3, 0.12)
"""Loudness of the tone itself and of its 2nd and 3rd harmonics."""
LOUDNESS = 0.8  # peak, relative to full scale
ATTACK, RELEASE = 0.012, 0.04  # seconds of fading in and out: without them every note would click
DECAY = 0.15  # seconds in which a note falls to 1/e

HOP = round(FRAME_SECONDS * SAMPLE_RATE)  # samples from one frame of speech to the next
PITCH = (125.0, 100.0)  # of the voice in Hz, at the beginning and at the end
BANDWIDTHS = (80.0, 100.0, 140.0)  # Hz, of the first three formants
HISS_BANDWIDTH = 1200.0  # Hz, of the noise that consonants make between tongue and teeth
HISS_ABOVE = 1.8  # its frequency, relative to the third formant
VOICE_LOUDNESS, HISS_LOUDNESS = 1.8, 0.12  # a vowel fills about half of the range, and an S is audible beside it
TILT = 500.0  # Hz, the frequency at which the voice is loudest before the formants filter it


def frequency(note: str) -> float:
    """The frequency of a note such as "C4" in Hz: equal temperament, A4 = 440 Hz."""
    return 440.0 * 2 ** (semitones(note) / 12)


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


def speech(frames: np.ndarray) -> np.ndarray:
    """Synthesise speech from formant tracks: a voice and a hiss, each filtered by its own resonances in every frame.

    Args:
        frames: (T, 5), F1, F2 and F3 in kHz, energy and voicing (1 voice, 0 hiss), FRAME_SECONDS each: the inputs of
            one sequence of the speech task.

    Returns:
        (T * HOP,) float32 between -1 and 1, at SAMPLE_RATE.
    """
    hertz = 1000 * frames[:, :3].astype(np.float64)
    energy, voicing = np.clip(frames[:, 3:], 0, 1).T.astype(np.float64)
    bins = 4 * HOP  # twice the window, so that there is room for the filter's decay
    at = np.arange(bins // 2 + 1) * SAMPLE_RATE / bins
    voiced = np.prod([_resonance(at, hertz[:, k], band) for k, band in enumerate(BANDWIDTHS)], axis=0)
    tilt = 1j * at / TILT
    voiced = voiced * tilt / (1 + tilt) ** 2
    hissed = _resonance(at, HISS_ABOVE * hertz[:, 2], HISS_BANDWIDTH)
    voice = _shaped(_pulses(len(frames) + 1), voiced, energy * voicing)
    hiss = _shaped(np.random.default_rng(0).standard_normal((len(frames) + 1) * HOP), hissed, energy * (1 - voicing))
    sound = VOICE_LOUDNESS * voice + HISS_LOUDNESS * hiss
    return (LOUDNESS * sound / max(1.0, float(np.abs(sound).max(initial=0)))).astype(np.float32)


def _pulses(frames: int) -> np.ndarray:
    """(frames * HOP,) the vocal cords: one pulse per period, equally strong at any pitch."""
    pitch = np.linspace(*PITCH, frames * HOP)
    turns = np.cumsum(pitch / SAMPLE_RATE)
    return np.diff(np.floor(turns), prepend=0.0)


def _resonance(at: np.ndarray, centre: np.ndarray, bandwidth: float) -> np.ndarray:
    """(T, frequencies) complex frequency response of a two-pole resonator, 1 at 0 Hz. centre: (T,) in Hz."""
    radius, angle = np.exp(-np.pi * bandwidth / SAMPLE_RATE), 2 * np.pi * centre[:, None] / SAMPLE_RATE
    delay = np.exp(-2j * np.pi * at / SAMPLE_RATE)
    first, second = -2 * radius * np.cos(angle), radius**2
    return (1 + first + second) / (1 + first * delay + second * delay**2)


def _shaped(source: np.ndarray, filters: np.ndarray, loudness: np.ndarray) -> np.ndarray:
    """Filter the source by each frame's filter, with a cross-fade between frames; (T * HOP,)."""
    count, bins = len(filters), 2 * (filters.shape[1] - 1)
    window = 0.5 - 0.5 * np.cos(np.pi * np.arange(2 * HOP) / HOP)  # overlapping windows add up to 1
    pieces = np.lib.stride_tricks.sliding_window_view(source, 2 * HOP)[::HOP][:count] * window * loudness[:, None]
    filters = filters / np.sqrt(np.mean(np.abs(filters) ** 2, axis=1, keepdims=True))  # `loudness` alone sets the level
    rung = np.fft.irfft(np.fft.rfft(pieces, bins) * filters, bins)  # (T, 4 * HOP)
    sound = np.zeros((count + 3, HOP))
    for k, part in enumerate(rung.reshape(count, 4, HOP).swapaxes(0, 1)):
        sound[k : k + count] += part
    return sound[:count].ravel()
