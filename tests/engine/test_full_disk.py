"""Where the disk is full, whoever writes says so in a sentence, and what was written before stays whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.experiment import Experiment
from engine.recording import Recording
from engine.sweeps import journal, table
from engine.sweeps.definition import parse
from engine.sweeps.journal import Group, Journal, Plan, SweepError
from engine.training import Trainer
from engine.whole_file import whole_file

FULL = Path("/dev/full")  # has no room, as a full disk
SMALL = Experiment(hidden_size=4, seq_len=6, batch_size=4)
pytestmark = pytest.mark.skipif(not FULL.exists(), reason="only Linux has a full disk for whoever wants one")


def fill(path: Path) -> None:
    """From now on there is no room beside this file."""
    path.with_name(path.name + ".new").symlink_to(FULL)


def only(path: Path) -> bool:
    return [each.name for each in path.parent.iterdir()] == [path.name]


def test_what_was_there_stays_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "numbers"
    path.write_bytes(b"good")
    fill(path)
    with pytest.raises(OSError, match="No space left"), whole_file(path) as file:
        file.write(b"better")
    assert path.read_bytes() == b"good" and only(path)
    with whole_file(path) as file:
        file.write(b"better")
    assert path.read_bytes() == b"better" and only(path)


def test_a_sweep_says_that_it_cannot_go_on_and_how_it_will(tmp_path):
    plan = Plan((SMALL,), 10, 5)
    kept = Journal(tmp_path, plan)
    kept.begin([Group((0,), None)])
    fill(tmp_path / journal.PLAN)
    with pytest.raises(SweepError, match=r"cannot be written: No space left on device\. .*make room"):
        kept.begin([Group((0,), None)])
    assert Journal(tmp_path, plan).groups == (Group((0,), None),)


def test_a_table_that_finds_no_room_says_so_and_the_older_one_stays(tmp_path):
    definition = parse('updates = 9\nseeds = [0, 1]\n[experiment]\ntask = "adding"\n[axes]\ninit_gain = [0.5, 2.0]')
    path = tmp_path / "rows.parquet"
    table.write(path, [], definition, done=False)
    before = path.read_bytes()
    fill(path)
    with pytest.raises(SweepError, match="No space left on device"):
        table.write(path, [], definition, done=True)
    assert path.read_bytes() == before and only(path)


def test_a_recording_that_finds_no_room_leaves_the_older_one_whole(tmp_path):
    path, recording = tmp_path / "run.zip", Recording.of(SMALL, [Trainer(SMALL).frame()])
    recording.save(path)
    fill(path)
    with pytest.raises(OSError, match="No space left"):
        recording.save(path)
    assert len(Recording.load(path).frames) == 1 and only(path)
