"""Notes as sound, and the card that plays them."""

from __future__ import annotations

import numpy as np
import pytest

from app import audio, listening
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.tasks import TASKS
from engine.training import Trainer
from tests.app.test_hub import FakePool
from tests.app.test_page import opened, pool, press  # noqa: F401  (pool is a fixture)

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


# ---- what is played


@pytest.fixture(scope="module")
def seen() -> Frame:
    return Trainer(MELODY).frame()


def test_the_tune_is_that_of_the_drawn_sequence(seen):
    tune, labels = listening.tune(MELODY), TASKS["melody"].output_labels
    assert len(tune) == MELODY.seq_len + 1 == 25
    assert tune == [labels[note] for note in (seen.inputs[0], *seen.targets)]


def test_what_is_played_begins_with_the_given_note(seen):
    notes, tune = listening.played(RunInfo.of(MELODY), seen), listening.tune(MELODY)
    assert notes[0] == tune[0] and len(notes) == len(tune)
    assert notes[1:] == [TASKS["melody"].output_labels[k] for k in seen.free_outputs.argmax(-1)]


def test_wrong_notes_are_struck_out_and_counted():
    said = listening.score(["C4", "D4", "E4"], ["C4", "D4", "G4"])
    assert said == "1 of 2 notes right.  \n**C4** D4 :red[~~E4~~]"


# ---- the card


def test_there_is_nothing_to_hear_where_no_task_is_audible(pool):  # noqa: F811
    assert [button.key for button in opened().button if button.key == "listen_take"] == []


def test_the_card_takes_what_is_played_now_beside_what_was_played_before(pool: FakePool, seen):  # noqa: F811
    page = opened(task="melody")
    assert len(page.get("audio")) == 1
    pool.runs[0].info = RunInfo.of(MELODY)
    pool.runs[0].frame = pool.runs[0].first = seen
    page = press(page, "listen_take")
    assert len(page.get("audio")) == 3
    assert {"**Before training**, step 0", "**What the network plays**, step 0"} <= {
        each.value for each in page.markdown
    }
