"""The page of a watched training: its folder's recordings, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.watched import page as watched_page
from app.watched import text as watched_text
from app.watched.registry import WATCHED
from engine.recording.growing import GrowingFile
from engine.recording.growing.folder import FOLDER
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
