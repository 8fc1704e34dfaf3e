"""The page of a watched training: its folder's recordings, and nothing else."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from app.replay import player
from app.watched import page as watched_page
from app.watched import text as watched_text
from app.watched.registry import WATCHED
from engine.recording.growing import GrowingFile
from engine.recording.growing.folder import FOLDER
from engine.recording.growing.writer import MAX_BYTES
from tests.app.conftest import move, opened, turn
from tests.engine.recording.growing.conftest import module_look, recorded


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pool: object) -> Path:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    monkeypatch.setattr(WATCHED, "_slots", [])
    return tmp_path


def write(path: Path) -> None:
    with GrowingFile(path) as file:
        file.append(recorded(0, module_look()))


def shown(page: AppTest) -> list[str]:
    """The names of the recordings that are open."""
    return [slot.training.name for slot in WATCHED._slots if slot.tabs]


def test_an_empty_folder_says_what_it_waits_for_and_shows_the_first_file(folder: Path) -> None:
    page = turn(opened(), "recording")
    assert [each.value for each in page.title] == [watched_page.TITLE]
    assert [each.value for each in page.info] == [watched_text.LIST_EMPTY] and shown(page) == []
    assert not page.get("file_uploader")
    write(folder / "run.looks")
    page = turn(page, "recording")
    assert not page.info and shown(page) == ["run.looks"]


def test_several_recordings_can_be_chosen_by_name(folder: Path) -> None:
    for name in ("one.looks", "two.looks"):
        write(folder / name)
    page = turn(opened(), "recording")
    assert sorted(page.selectbox(key=watched_page.CHOSEN).options) == ["one.looks", "two.looks"]
    assert len(shown(page)) == 1
    other = ({"one.looks", "two.looks"} - set(shown(page))).pop()
    move(page, watched_page.CHOSEN, other)
    assert shown(page) == [other]


def test_of_several_uploaded_files_it_is_said_which_one_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [SimpleNamespace(name=name, file_id=name) for name in ("b.zip", "a.looks", "c.looks")]
    said: list[str] = []
    drawn: list[object] = []
    monkeypatch.setattr(watched_page, "_owner", str)
    monkeypatch.setattr(watched_page, "_uploaded", lambda owner, id, name, file: name)
    monkeypatch.setattr(watched_page.component, "view", drawn.append)
    monkeypatch.setattr(watched_page.st, "info", said.append)
    watched_page.show_uploaded(files)
    assert drawn == ["a.looks"] and len(said) == 1
    assert said[0].startswith("a.looks is shown.") and "b.zip, c.looks" in said[0]
    watched_page.show_uploaded(files[1:2])
    assert len(drawn) == 2 and len(said) == 1


def test_a_file_that_was_written_fits_the_upload() -> None:
    assert MAX_BYTES <= player.MAX_UPLOADED * 10**6
