"""Spoken digits: the frames say the words that they are labelled with, and vowels sound as they were measured."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.tasks import TASKS, Batch, sample

SAID = {
    "z ih r ow": "zero", "w ah n": "one", "t uw": "two", "th r iy": "three", "f ao r": "four", "f ay v": "five",
    "s ih k s": "six", "s eh v ah n": "seven", "ey t": "eight", "n ay n": "nine",
}  # fmt: skip
MEASURED = {"iy": (270, 2290, 3010), "ih": (390, 1990, 2550), "eh": (530, 1840, 2480), "ah": (640, 1190, 2390),
            "ao": (570, 840, 2410), "uw": (300, 870, 2240)}  # fmt: skip
LABELS = TASKS["speech"].output_labels


def dealt(batch_size: int, seq_len: int = 60, split: str = "train") -> Batch:
    return sample(Experiment(task="speech", rnn_type="many_to_many", seq_len=seq_len), batch_size, 1, split)


def steady(batch: Batch, phoneme: str) -> tuple[np.ndarray, np.ndarray]:
    """(step, column) of the frames that have the same phoneme two steps before and two steps after."""
    same = batch.targets == LABELS.index(phoneme)
    inside = np.zeros_like(same)
    inside[2:-2] = same[:-4] & same[1:-3] & same[2:-2] & same[3:-1] & same[4:]
    return np.nonzero(inside)


@pytest.mark.parametrize("seq_len", [10, 60, 300])
def test_the_phonemes_are_those_of_digits_with_a_pause_before_each(seq_len):
    counts: Counter = Counter()
    for column in dealt(300, seq_len).targets.T:
        phonemes = [LABELS[code] for code, _ in itertools.groupby(column)]
        assert phonemes[0] == "pause"
        *whole, cut_off = " ".join(phonemes[1:]).split(" pause ")
        counts.update(SAID[word] for word in whole)  # a word that nobody knows is a KeyError
        assert any(word.startswith(cut_off.removesuffix(" pause")) for word in SAID)
    if seq_len == 300:  # long enough that it matters little which words the end cuts off
        assert set(counts) == set(SAID.values())
        assert min(counts.values()) > 0.8 * max(counts.values())


def test_the_fastest_words_still_fill_the_sequence():
    """Every "two" at the least of each duration: a pause, t and uw of 2, 2 and 4 frames."""

    class Fastest:
        def integers(self, low: int, high: int, size: tuple[int, ...]) -> np.ndarray:
            return np.full(size, 2)

        def uniform(self, low: float, high: float, size: tuple[int, ...]) -> np.ndarray:
            return np.full(size, low)

        def standard_normal(self, size: tuple[int, ...], kind: type) -> np.ndarray:
            return np.zeros(size, kind)

    for seq_len in (10, 16, 17, 300):
        e = Experiment(task="speech", rnn_type="many_to_many", seq_len=seq_len)
        phonemes = [LABELS[code] for code in TASKS["speech"].draw(Fastest(), e, 1, "train").targets[:, 0]]
        assert phonemes == ([*["pause"] * 2, *["t"] * 2, *["uw"] * 4] * 40)[:seq_len]


def test_phonemes_last_as_long_as_it_takes_to_say_them():
    lengths: dict[str, list[int]] = {label: [] for label in LABELS}
    for column in dealt(300, 300).targets.T:
        runs = [(LABELS[code], len(list(run))) for code, run in itertools.groupby(column)]
        for label, steps in runs[:-1]:
            lengths[label].append(steps)
    means = {label: np.mean(counts) for label, counts in lengths.items()}
    assert all(min(counts) >= 2 and max(counts) <= 17 for counts in lengths.values())
    assert means["ay"] > 1.3 * means["ih"] > 1.3 * means["v"]
    ratio = np.concatenate([np.array(counts) / means[label] for label, counts in lengths.items()])
    assert ratio.std() > 0.15


@pytest.mark.parametrize(("phoneme", "hertz"), MEASURED.items())
def test_a_steady_vowel_has_the_measured_formants_scaled_by_its_speaker(phoneme, hertz):
    batch = dealt(4000)
    t, column = steady(batch, phoneme)
    frames = batch.inputs[t, column].astype(np.float64)
    scales = frames[:, :3] / (np.array(hertz) / 1000)
    assert len(scales) > 100 and scales.mean(0) == pytest.approx(1.025, abs=0.015)  # halfway from 0.85 to 1.2
    assert scales.min() > 0.55 and scales.max() < 1.5
    assert np.corrcoef(scales[:, 1], scales[:, 2])[0, 1] > 0.7  # one speaker, one scale
    assert frames[:, 3:].mean(0) == pytest.approx(1, abs=0.01)


def test_sounds_run_into_each_other():
    """The last frame of a pause is louder, the louder the sound that follows."""
    batch = dealt(4000)
    before = {}
    for phoneme in ("th", "s", "w", "ey"):
        starts = (batch.targets[:-1] == 0) & (batch.targets[1:] == LABELS.index(phoneme))
        before[phoneme] = float(batch.inputs[:-1, :, 3][starts].mean())
    assert 0 < before["th"] < before["s"] < before["w"] < before["ey"] < 0.5


def test_a_diphthong_glides():
    """F1 falls on the way from the open vowel to the close one, F2 rises."""
    batch = dealt(4000)
    t, column = steady(batch, "ay")
    early = batch.targets[t - 3, column] != LABELS.index("ay")
    late = batch.targets[np.minimum(t + 3, 59), column] != LABELS.index("ay")
    first, last = (batch.inputs[t[at], column[at]].mean(0) for at in (early, late))
    assert first[0] > last[0] + 0.1 and first[1] < last[1] - 0.3


def test_consonants_differ_in_voicing_and_energy():
    batch = dealt(2000)
    means = {label: batch.inputs[steady(batch, label)].mean(0) for label in ("s", "f", "pause", "z")}
    assert means["s"][3] > means["f"][3] + 0.1 > means["pause"][3] + 0.2
    assert abs(means["s"][4]) < 0.05 < 0.4 < means["z"][4] < 0.8


@pytest.mark.parametrize("seq_len", [10, 60, 300])
def test_the_bar_is_the_surprise_of_who_knows_how_common_each_phoneme_is(seq_len):
    frames = dealt(120_000 // seq_len, seq_len, "test").targets.ravel().tolist()
    shares = [count / len(frames) for count in Counter(frames).values()]
    (bar,) = TASKS["speech"].baselines(Experiment(task="speech", rnn_type="many_to_many", seq_len=seq_len)).values()
    assert bar == pytest.approx(-sum(share * math.log(share) for share in shares), rel=0.02)
