"""A file that grows is read as it was written, look by look, whenever it is looked at."""

from __future__ import annotations

import dataclasses
import math
import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from engine.recording import RecordingError
from engine.recording.growing import Follower, GrowingFile, RecordedLook, read_looks
from engine.recording.growing.axis import on_axis
from engine.recording.growing.chunks import read_chunk
from engine.recording.growing.looks import chunk_of, look_of
from tests.engine.recording.growing.conftest import assert_same, module_look, recorded


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    follower = Follower(tmp_path / "run.looks")
    assert follower.news().looks == ()  # not there yet
    with GrowingFile(tmp_path / "run.looks") as file:
        assert follower.news().looks == ()
        file.append(recorded(0))
        file.append(recorded(4))
        first = follower.news()
        assert [look.step for look in first.looks] == [0, 4]
        assert_same(first.looks[1], recorded(4))
        assert follower.news().looks == ()
        file.append(recorded(9))
        assert [look.step for look in follower.news().looks] == [9]
    content = (tmp_path / "run.looks").read_bytes()
    assert [look.step for look in read_looks(content)] == [0, 4, 9]
    assert [each.name for each in tmp_path.iterdir()] == ["run.looks"]


def test_half_a_chunk_is_waited_for(tmp_path: Path) -> None:
    with GrowingFile(tmp_path / "whole") as file:
        begins = file.size
        file.append(recorded(1))
    content = (tmp_path / "whole").read_bytes()
    follower = Follower(tmp_path / "slow")
    for stop in (5, begins, begins + 3, begins + 20, len(content) // 2, len(content) - 1):
        (tmp_path / "slow").write_bytes(content[:stop])
        assert follower.news().looks == ()
    (tmp_path / "slow").write_bytes(content)
    assert_same(follower.news().looks[0], recorded(1))


def test_a_file_made_anew_is_read_anew(tmp_path: Path) -> None:
    follower = Follower(tmp_path / "run.looks")
    for steps in ([0, 1, 2], [7]):
        with GrowingFile(tmp_path / "run.looks") as file:
            for step in steps:
                file.append(recorded(step))
        news = follower.news()
        assert news.is_anew and [look.step for look in news.looks] == steps


def test_a_damaged_file_is_a_sentence_until_it_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "run.looks"
    with GrowingFile(path) as file:
        file.append(recorded(0))
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    follower = Follower(path)
    for _ in range(2):
        with pytest.raises(RecordingError, match="damaged"):
            follower.news()
    with GrowingFile(path) as file:
        file.append(recorded(3))
    assert [look.step for look in follower.news().looks] == [3]


def test_a_file_of_somebody_else_is_neither_overwritten_nor_read(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text("import torch")
    with pytest.raises(RecordingError, match="not overwritten"):
        GrowingFile(path)
    assert path.read_text() == "import torch"
    with pytest.raises(RecordingError, match="no recording of looks"):
        Follower(path).news()


def test_a_place_that_cannot_be_written_is_named_as_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"^the folder nowhere is not there$"):
        GrowingFile("nowhere/run.looks")

    def refuse(path: object, *_: object) -> int:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(PermissionError, match=r"Permission denied: 'run\.looks'"):
        GrowingFile("run.looks")


def test_an_entry_of_an_earlier_version_says_neither_what_ended_it_nor_the_loss() -> None:
    entry = RecordedLook(step=3, modules=(), is_last=True, ended_by="KeyboardInterrupt", loss=math.inf)
    written = chunk_of(entry)
    chunk = read_chunk(BytesIO(written), len(written))
    assert chunk is not None and look_of(chunk).ended_by == "KeyboardInterrupt" and look_of(chunk).loss == math.inf
    del chunk.text["ended_by"], chunk.text["loss"], chunk.text["requested"]
    assert look_of(chunk).ended_by == "" and look_of(chunk).loss is None and look_of(chunk).requested == ()


def test_a_full_file_keeps_every_second_look_and_stays_within_its_limit(tmp_path: Path) -> None:
    look = recorded(0, module_look())
    with GrowingFile(tmp_path / "one") as file:
        file.append(look)
        limit = int(8.5 * file.size)
    follower, seen = Follower(tmp_path / "run.looks"), []
    with GrowingFile(tmp_path / "run.looks", limit) as file:
        for step in range(100):
            file.append(dataclasses.replace(look, step=step))
            assert file.size == (tmp_path / "run.looks").stat().st_size <= limit
            news = follower.news()
            seen = [*([] if news.is_anew else seen), *(each.step for each in news.looks)]
    assert seen[0] == 0 and 4 <= len(seen) <= 8
    assert len(set(np.diff(seen))) == 1 and 100 - seen[-1] <= 2 * np.diff(seen)[0]


def test_a_look_that_is_too_large_is_refused_and_a_full_disk_leaves_the_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RecordingError, match="One look takes"):
        GrowingFile(tmp_path / "small", 1000).append(recorded(0))
    with GrowingFile(tmp_path / "run.looks") as file:
        file.append(recorded(0))
        size, write = file.size, os.write

        def full(target: int, content: memoryview) -> int:
            write(target, content[:100])
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            file.append(recorded(1))
        monkeypatch.setattr(os, "write", write)
        assert (tmp_path / "run.looks").stat().st_size == size
        file.append(recorded(2))
    assert [look.step for look in Follower(tmp_path / "run.looks").news().looks] == [0, 2]


def test_a_shorter_look_is_laid_on_a_longer_axis() -> None:
    one = module_look(cell="lstm", bidirectional=True)
    chain, look = on_axis(one.chain, one.look, 11)
    assert chain.time_steps == len(chain.valid) == len(look.valid) == 11
    assert look.valid.tolist() == list(chain.valid) == [*one.chain.valid, *[False] * 4]
    np.testing.assert_array_equal(look.hidden[:, :, :7], one.look.hidden)
    assert np.isnan(look.hidden[:, :, 7:]).all() and np.isnan(look.grad_norm_memory[..., 7:]).all()
    assert look.from_input.shape[0] == 11 and not look.from_input[7:].any()
    assert not look.weight_gradients.ih_beyond[..., 7:].any()
    assert look.spectrum is not None and one.look.spectrum is not None
    np.testing.assert_array_equal(look.spectrum.products.norm, one.look.spectrum.products.norm)
    assert on_axis(one.chain, one.look, 7) == (one.chain, one.look)
