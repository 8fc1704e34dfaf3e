"""Notes and speech as sound, and the card that plays notes."""

from __future__ import annotations

import numpy as np
import pytest

from app import audio
from app.listen import text as listen_text
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.tasks import TASKS, probe
from engine.training import Trainer
from tests.app.conftest import opened, press
from tests.fakes import FakePool

MELODY = Experiment(task="melody", rnn_type="one_to_many", hidden_size=4, batch_size=4)


@pytest.mark.parametrize(
    ("note", "hertz"), [("A4", 440), ("A5", 880), ("C4", 261.626), ("E4", 329.628), ("B4", 493.883)]
)
def test_notes_are_tempered_from_a_of_440(note, hertz):
    assert audio.frequency(note) == pytest.approx(hertz, abs=1e-3)


@pytest.mark.parametrize("note", TASKS["melody"].output_labels)
def test_a_note_sounds_at_its_frequency(note):
    spectrum = np.abs(np.fft.rfft(audio.waveform([note]), audio.SAMPLE_RATE))  # bins of 1 Hz
    assert abs(int(spectrum.argmax()) - audio.frequency(note)) <= 1


def test_notes_follow_each_other_without_clipping_or_clicks():
    alone, tune = audio.waveform(["C4"]), audio.waveform(["C4", "C6", "C4"])
    assert len(alone) == round(0.22 * 22_050) and len(tune) == 3 * len(alone) and tune.dtype == np.float32
    assert 0.3 < np.abs(tune).max() <= 1
    assert np.array_equal(tune[: len(alone)], alone) and np.array_equal(tune[-len(alone) :], alone)
    assert abs(alone[0]) < 1e-3 and abs(alone[-1]) < 1e-3


# ---- speech


def held(*frame: float, steps: int = 50) -> np.ndarray:
    """The same frame again and again: F1, F2, F3 in kHz, energy, voicing."""
    return np.tile(np.array(frame, np.float32), (steps, 1))


def spectrum(sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(frequencies in Hz, energy at each)."""
    return np.fft.rfftfreq(len(sound), 1 / audio.SAMPLE_RATE), np.abs(np.fft.rfft(sound.astype(np.float64))) ** 2


@pytest.mark.parametrize("formants", [(0.27, 2.29, 3.01), (0.53, 1.84, 2.48), (0.73, 1.09, 2.44), (0.3, 0.87, 2.24)])
def test_a_steady_vowel_is_loudest_near_its_first_formant(formants):
    """The voice has overtones every 100 to 125 Hz: the nearest one lies within 63 Hz."""
    hertz, energy = spectrum(audio.speech(held(*formants, 1, 1)))
    assert abs(hertz[energy.argmax()] - 1000 * formants[0]) < 63


def test_the_second_formant_stands_out_where_it_is():
    """Between two formants there is less than at either."""
    hertz, energy = spectrum(audio.speech(held(0.27, 2.29, 3.01, 1, 1)))
    around = [energy[(hertz > middle - 150) & (hertz < middle + 150)].sum() for middle in (1200, 2290)]
    assert around[1] > 5 * around[0]


def test_a_hiss_is_high_and_a_voice_is_low():
    middles = []
    for voicing in (0, 1):
        hertz, energy = spectrum(audio.speech(held(0.35, 1.5, 2.6, 0.4, voicing)))
        middles.append(hertz[np.searchsorted(energy.cumsum(), energy.sum() / 2)])
    assert middles[0] > 3500 > 800 > middles[1]


def test_a_voice_repeats_itself_a_hundred_times_a_second_or_a_little_more():
    sound = audio.speech(held(0.53, 1.84, 2.48, 1, 1))[:8000].astype(np.float64)
    lags = np.arange(audio.SAMPLE_RATE // 150, audio.SAMPLE_RATE // 80)
    alike = [(sound[lag:] * sound[:-lag]).sum() for lag in lags]
    assert 100 <= audio.SAMPLE_RATE / lags[int(np.argmax(alike))] <= 126


def test_energy_is_loudness_and_none_is_silence():
    loud, soft = (audio.speech(held(0.53, 1.84, 2.48, energy, 1)).std() for energy in (0.8, 0.4))
    assert loud == pytest.approx(2 * soft, rel=1e-3)
    assert not audio.speech(held(0.5, 1.5, 2.5, 0, 0)).any()


@pytest.mark.parametrize("column", range(4))
def test_a_drawn_sequence_lasts_as_long_as_its_frames_and_never_clips(column):
    frames = probe(Experiment(task="speech", rnn_type="many_to_many")).inputs[:, column]
    sound = audio.speech(frames)
    assert sound.shape == (60 * 441,) and sound.dtype == np.float32  # 20 ms at 22,050 samples per second
    assert 0.2 < np.abs(sound).max() <= 1 and np.array_equal(sound, audio.speech(frames))


def test_frames_out_of_range_are_no_reason_to_clip():
    assert np.abs(audio.speech(held(0.7, 1.1, 2.4, 9, 9))).max() <= 1


# ---- what is played


@pytest.fixture(scope="module")
def seen() -> Frame:
    return Trainer(MELODY).frame()


def test_the_tune_is_that_of_the_drawn_sequence(seen):
    tune, labels = listen_text.tune(MELODY), TASKS["melody"].output_labels
    assert len(tune) == MELODY.seq_len + 1 == 25
    assert tune == [labels[note] for note in (seen.inputs[0], *seen.targets)]


def test_what_is_played_begins_with_the_given_note(seen):
    notes, tune = listen_text.played(RunInfo.of(MELODY), seen), listen_text.tune(MELODY)
    assert notes[0] == tune[0] and len(notes) == len(tune)
    assert notes[1:] == [TASKS["melody"].output_labels[k] for k in seen.free_outputs.argmax(-1)]


def test_wrong_notes_are_struck_out_and_counted():
    text = listen_text.score(["C4", "D4", "E4"], ["C4", "D4", "G4"])
    assert text == "1 of 2 notes right.  \n**C4** D4 :red[~~E4~~]"


# ---- the card


def test_there_is_nothing_to_hear_where_no_task_is_audible(pool):
    assert [button.key for button in opened().button if button.key == "listen_take"] == []


def test_the_card_takes_what_is_played_now_beside_what_was_played_before(pool: FakePool, seen):
    page = opened(task="melody")
    assert len(page.get("audio")) == 1
    pool.runs[0].info = RunInfo.of(MELODY)
    pool.runs[0].frame = pool.runs[0].first = seen
    page = press(page, "listen_take")
    assert len(page.get("audio")) == 3
    assert {"**Before training**, step 0", "**What the network plays**, step 0"} <= {
        each.value for each in page.markdown
    }
