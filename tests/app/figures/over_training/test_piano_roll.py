"""The piano roll: every note of the tune at its height, and what the network plays by itself."""

from __future__ import annotations

import numpy as np

from engine.tasks.music import semitones
from tests.app.figures.conftest import drawn, seen

CASE = "melody-one_to_many-lstm"


def bars(name):
    """{step: height in semitones} of the bars of one trace."""
    (trace,) = [each for each in drawn(CASE, "prediction")["data"] if each["name"] == name]
    x, y = (np.asarray(trace[axis], float).reshape(-1, 3) for axis in "xy")
    assert np.isnan(x[:, 2]).all() and (y[:, 0] == y[:, 1]).all()
    return dict(zip(x[:, :2].mean(1).round().astype(int).tolist(), y[:, 0].astype(int).tolist(), strict=True))


def test_the_tune_and_what_is_played_by_itself():
    info, frame, _ = seen(CASE)
    assert info.pitches == tuple(map(semitones, info.output_labels))
    steps = np.flatnonzero(frame.counted)
    heights = [semitones(note) for note in info.output_labels]
    played = {int(t): heights[int(frame.free_outputs[t].argmax())] for t in steps}
    tune = {int(t): heights[int(frame.targets[t])] for t in steps}
    assert bars("the tune") == tune
    assert bars("right") == {t: note for t, note in played.items() if note == tune[t]}
    assert bars("wrong") == {t: note for t, note in played.items() if note != tune[t]} != {}


def test_heights_are_semitones():
    assert [semitones(note) for note in ("A4", "C4", "C5", "B4")] == [0, -9, 3, 2]
