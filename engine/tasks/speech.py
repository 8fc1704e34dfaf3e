"""Spoken digits as formant tracks, made up by rule: which phoneme is each frame?

The vowels' formants are the averages of 33 men that Peterson and Barney measured (Control methods used in a study of
the vowels, Journal of the Acoustical Society of America 24, 1952). A diphthong glides from one vowel to another. All
other numbers are approximate and made up, after what is typical: the formants of the consonants, energy, voicing,
durations and how speakers differ.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from engine.tasks.base import Batch, DataSettings, Lengths, Metric, Task, accuracy, full_lengths, stream

FRAME_SECONDS = 0.02
CHANNELS = ("F1 in kHz", "F2 in kHz", "F3 in kHz", "energy", "voicing")

VOWELS = {  # F1, F2, F3 in Hz
    "ih": (390, 1990, 2550),
    "iy": (270, 2290, 3010),
    "eh": (530, 1840, 2480),
    "aa": (730, 1090, 2440),
    "ah": (640, 1190, 2390),
    "ao": (570, 840, 2410),
    "uh": (440, 1020, 2240),
    "uw": (300, 870, 2240),
}
DIPHTHONGS = {"ey": ("eh", "iy"), "ay": ("aa", "ih"), "ow": ("ao", "uh")}
CONSONANTS = {  # F1, F2, F3 in Hz, energy, voicing, frames
    "w": (290, 700, 2200, 0.6, 1.0, 4),
    "r": (330, 1100, 1500, 0.6, 1.0, 4),
    "n": (350, 1500, 2500, 0.5, 1.0, 4),
    "v": (250, 1100, 2200, 0.3, 0.7, 3),
    "z": (250, 1500, 2600, 0.4, 0.6, 5),
    "f": (350, 1100, 2200, 0.15, 0.0, 5),
    "th": (350, 1350, 2600, 0.1, 0.0, 5),
    "s": (350, 1500, 2600, 0.35, 0.0, 6),
    "t": (400, 1700, 2600, 0.2, 0.0, 3),
    "k": (350, 1900, 2600, 0.2, 0.0, 4),
    "pause": (500, 1500, 2500, 0.0, 0.0, 4),
}
VOWEL_FRAMES, DIPHTHONG_FRAMES = 6, 10
WORDS = {
    "zero": "z ih r ow",
    "one": "w ah n",
    "two": "t uw",
    "three": "th r iy",
    "four": "f ao r",
    "five": "f ay v",
    "six": "s ih k s",
    "seven": "s eh v ah n",
    "eight": "ey t",
    "nine": "n ay n",
}
SPOKEN = tuple(word.split() for word in WORDS.values())
PHONEMES = ("pause", *sorted({phoneme for word in SPOKEN for phoneme in word}))
MOST_PHONEMES = max(map(len, SPOKEN)) + 1  # of a word, and the pause before it

TRACT = (0.85, 1.2)  # the speaker's formants, relative to the averages
PACE = (0.75, 1.35)  # the speaker's durations, relative to those above
UNEVEN = (0.8, 1.25)  # and each phoneme's, relative to those
FEWEST_FRAMES = 8  # that a word and the pause before it can last: "two", said as fast as can be
NEIGHBOURS = np.array([1, 2, 3, 2, 1], np.float32) / 9  # weights by which a frame is blurred with those around it
NOISE = np.array([0.02, 0.06, 0.08, 0.03, 0.03], np.float32)  # standard deviation of each channel
COUNTED_FRAMES = 200_000  # from which the phonemes' shares are counted


@cache
def _targets() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Channels at each phoneme's start and at its end, (phonemes, 5) float32 each, and its frames, (phonemes,)."""

    def row(phoneme: str, end: bool) -> tuple[float, ...]:
        if phoneme in CONSONANTS:
            return CONSONANTS[phoneme]
        frames = DIPHTHONG_FRAMES if phoneme in DIPHTHONGS else VOWEL_FRAMES
        return (*VOWELS[DIPHTHONGS.get(phoneme, (phoneme, phoneme))[end]], 1.0, 1.0, frames)

    start, end = (np.array([row(phoneme, end) for phoneme in PHONEMES], np.float32) for end in (False, True))
    start[:, :3] /= 1000
    end[:, :3] /= 1000
    return start[:, :5], end[:, :5], start[:, 5]


@cache
def _pronunciations() -> tuple[np.ndarray, np.ndarray]:
    """(10, MOST_PHONEMES) int64, a pause and the word's phonemes, and bool, which of them there are."""
    codes, there = np.zeros((len(SPOKEN), MOST_PHONEMES), np.int64), np.zeros((len(SPOKEN), MOST_PHONEMES), bool)
    for digit, word in enumerate(SPOKEN):
        codes[digit, 1 : len(word) + 1] = [PHONEMES.index(phoneme) for phoneme in word]
        there[digit, : len(word) + 1] = True
    return codes, there


def _said(rng: np.random.Generator, seq_len: int, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Random digits in a row, a pause before each; the last is cut off by the end.

    Returns:
        (T, batch) int64, the phoneme of every frame, and (T, batch) float32, how far through it the frame is, 0 to 1.
    """
    words = -(-seq_len // FEWEST_FRAMES)
    digits = rng.integers(0, len(SPOKEN), (batch_size, words))
    codes, there = (each[digits].reshape(batch_size, -1) for each in _pronunciations())
    frames = _targets()[2][codes] * rng.uniform(*PACE, (batch_size, 1)) * rng.uniform(*UNEVEN, codes.shape)
    frames = np.maximum(np.rint(frames), 1).astype(np.int64) * there
    ends = frames.cumsum(1)
    begins = ends - frames
    # How many phonemes have ended by each frame is the place of the one that lasts; all ends after T fall together.
    at = np.minimum(ends, seq_len) + (seq_len + 1) * np.arange(batch_size)[:, None]
    ended = np.bincount(at.ravel(), minlength=batch_size * (seq_len + 1)).reshape(batch_size, -1)[:, :-1]
    place = ended.cumsum(1)  # (batch, T)
    since = np.arange(seq_len) - np.take_along_axis(begins, place, 1)
    through = (since + 0.5) / np.take_along_axis(frames, place, 1)
    return np.take_along_axis(codes, place, 1).T, through.T.astype(np.float32)


def _blurred(tracks: np.ndarray) -> np.ndarray:
    """Each frame mixed with its neighbours, as the mouth is on its way from one sound to the next. (T, batch, 5)."""
    reach = len(NEIGHBOURS) // 2
    padded = np.concatenate([tracks[:1]] * reach + [tracks] + [tracks[-1:]] * reach)
    return sum(weight * padded[k : k + len(tracks)] for k, weight in enumerate(NEIGHBOURS))


def _draw(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    seq_len = experiment.seq_len
    phonemes, through = _said(rng, seq_len, batch_size)
    start, end, _ = _targets()
    gliding = np.repeat(through, len(CHANNELS), axis=1).reshape(*through.shape, -1)  # (T, batch, 5)
    speaker = np.ones((batch_size, len(CHANNELS)), np.float32)
    speaker[:, :3] = rng.uniform(*TRACT, (batch_size, 1))
    tracks = speaker * _blurred(start[phonemes] + gliding * (end - start)[phonemes])
    tracks += rng.standard_normal(tracks.shape, np.float32) * np.tile(NOISE, (batch_size, 1))
    mask = np.ones((seq_len, batch_size), bool)
    return Batch(tracks, np.ascontiguousarray(phonemes), mask, full_lengths(seq_len, batch_size))


@cache
def _phoneme_entropy(seq_len: int) -> float:
    """In nats, of the phonemes' shares among many frames of training sequences of this length."""
    phonemes, _ = _said(stream(0, "train"), seq_len, -(-COUNTED_FRAMES // seq_len))
    shares = np.bincount(phonemes.ravel()) / phonemes.size
    return float(-(shares * np.log(shares, where=shares > 0, out=np.zeros_like(shares))).sum())


SPEECH = Task(
    slug="speech",
    family="Speech",
    title="Spoken digits",
    teaches="One frame is not enough: sounds run into each other, and every speaker's voice is different.",
    source="Generated: digits spoken by rule, 20 ms a frame; vowels as Peterson and Barney measured them (1952).",
    rnn_types=("many_to_many",),
    lengths=Lengths(10, 300, 60),
    inputs="values",
    outputs="symbols",
    input_labels=CHANNELS,
    output_labels=PHONEMES,
    metric=Metric("frames right", accuracy),
    draw=_draw,
    baselines=lambda experiment: {"how common each phoneme is": _phoneme_entropy(experiment.seq_len)},
)
