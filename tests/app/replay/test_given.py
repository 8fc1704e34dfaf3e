"""The page "Open a recording" of a server that was started with files: `open run.zip`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.experiment import Experiment
from engine.recording import Recording
from engine.screen import FILES
from engine.training import train
from tests.app.conftest import opened, turn
from tests.app.own_data.conftest import words

pytestmark = pytest.mark.usefixtures("pool")


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Two recordings."""
    e = Experiment(hidden_size=4, batch_size=4, seq_len=6, steps=2)
    for name in ("a.zip", "b.zip"):
        Recording.of(e, train(e, 1)).save(tmp_path / name)
    return [str(tmp_path / name) for name in ("a.zip", "b.zip")]


def test_the_files_that_the_server_was_given_are_open(files: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(FILES, files[0])
    page = turn(opened(), "recording")
    assert "3 frames, from step 0 to step 2" in words(page)
    monkeypatch.setenv(FILES, os.pathsep.join(files))
    assert "**A**" in words(turn(opened(), "recording"))


def test_one_that_is_gone_is_not_missed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(FILES, "/nowhere/run.zip")
    assert not turn(opened(), "recording").error
