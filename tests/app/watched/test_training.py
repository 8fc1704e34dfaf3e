"""What a server keeps of a recording: looks on one axis, whatever their lengths, and what is drawn of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.watched import text as watched_text
from app.watched.training import WatchedTraining
from engine.recording.growing import Follower, GrowingFile, RecordedLook
from tests.clock import Clock
from tests.engine.recording.growing.conftest import module_look, recorded


def test_looks_of_all_lengths_are_laid_on_the_longest_axis() -> None:
    looks = [recorded(step, module_look(seq_len=length)) for step, length in enumerate((7, 11, 9))]
    training = WatchedTraining("a", None, looks)
    shown = training.shown("rnn", None)
    assert shown is not None and shown.recorded.step == 2 and shown.kept == (0, 1, 2)
    assert shown.axis.time_steps == shown.chain.time_steps == 11
    assert sum(shown.chain.valid) == sum(shown.look.valid) == 9 and all(shown.axis.valid)
    earlier = training.shown("rnn", 1)
    assert earlier is not None and earlier.recorded.step == 1 and all(earlier.chain.valid)
    steps, norms = training.curves(shown).waterfall
    assert steps.tolist() == [0, 1, 2] and np.isfinite(norms).sum(1).tolist() == [7, 11, 9]
    assert training.curves(earlier).waterfall[0].tolist() == [0, 1]
    assert training.curves(shown).ratios["ratio"].tolist() == [1e-9] * 3


def test_another_network_under_the_same_name_begins_anew() -> None:
    looks = [recorded(step, module_look(hidden_size=size)) for step, size in enumerate((5, 5, 6))]
    shown = WatchedTraining("a", None, looks).shown("rnn", None)
    assert shown is not None and shown.kept == (2,) and shown.axis.hidden_size == 6


def test_a_module_that_is_not_looked_at_every_time_keeps_its_own_looks() -> None:
    one, other = module_look("encoder"), module_look("decoder", cell="gru")
    training = WatchedTraining("a", None, [recorded(0, one), recorded(1, one, other), recorded(2, other)])
    assert training.modules() == ("encoder", "decoder")
    kept = {name: training.shown(name, None) for name in training.modules()}
    assert {name: shown.kept for name, shown in kept.items() if shown} == {"encoder": (0, 1), "decoder": (1, 2)}
    unknown = training.shown("no such module", None)
    assert unknown is not None and unknown.module.name == "encoder"


def test_a_growing_file_is_followed_and_said_to_be_silent(tmp_path: Path) -> None:
    clock = Clock(0.0)
    training = WatchedTraining("run.looks", Follower(tmp_path / "run.looks"), clock=clock)
    training.refresh()
    assert training.shown("", None) is None and watched_text.message(training) == watched_text.WAITING
    with GrowingFile(tmp_path / "run.looks") as file:
        file.append(recorded(0))
        training.refresh()
        assert training.newest is None  # not due yet
        clock.now = 1.0
        training.refresh()
        assert training.newest is not None and watched_text.clock(training) == watched_text.GROWS
        clock.now = 200.0
        training.refresh()
        assert watched_text.clock(training) == watched_text.SILENT.format(minutes=3)
        file.append(recorded(5))
        clock.now = 201.0
        training.refresh()
        assert watched_text.clock(training) == watched_text.GROWS and training.newest.step == 5
    (tmp_path / "run.looks").write_bytes(b"something else")
    clock.now = 202.0
    training.refresh()
    assert "no recording of looks" in watched_text.message(training) and training.shown("", None) is not None


def test_where_nothing_is_measured_it_says_why() -> None:
    training = WatchedTraining("a", None, [RecordedLook(step=0, modules=(), refusals={"rnn": "it is scripted"})])
    assert watched_text.message(training) == f"{watched_text.NOTHING_MEASURED} rnn: it is scripted"
