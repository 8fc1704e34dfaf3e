"""Lessons kept on the server: only where allowed, only in their folder, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.preset import PresetError, library, list_presets, parse_preset, saving, unreadable
from engine.preset.saving import ALLOWED, FileExistsAlreadyError, save_lesson
from engine.preset.writer import write_preset
from tests.cases import for_each

EXAMPLE = (library.ROOT / "lessons" / "example.md").read_text(encoding="utf-8")
OTHER = EXAMPLE.replace('title = "Half the length"', 'title = "Another"')


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An own folder, on a server that allows to write there."""
    monkeypatch.setenv("PLAYGROUND_LESSONS", str(tmp_path / "mine"))
    monkeypatch.setenv(ALLOWED, "1")
    return tmp_path / "mine"


def test_a_kept_lesson_is_one_at_once(folder):
    path = save_lesson("my-lesson", EXAMPLE)
    assert path == folder / "my-lesson.md" and path.read_text(encoding="utf-8") == EXAMPLE
    (kept,) = [preset for preset in list_presets() if preset.file]
    assert kept.slug == "my-lesson" and unreadable() == ()
    assert [each.name for each in folder.iterdir()] == ["my-lesson.md"]
    assert parse_preset("my-lesson", write_preset(kept), "md").title == "Half the length"


def test_a_server_keeps_nothing_unless_it_is_told_to(monkeypatch, folder):
    for value in ("", "0", "yes"):
        monkeypatch.setenv(ALLOWED, value)
        with pytest.raises(PresetError, match=rf"^my-lesson\.md: this server keeps no lessons; .*{ALLOWED}=1"):
            save_lesson("my-lesson", EXAMPLE)
    monkeypatch.delenv(ALLOWED)
    assert not saving.may_save() and not folder.exists()


@for_each({"slug": ["", ".", "..", "../evil", "a/b", "/etc/passwd", "a\\b", "A", "a.b", "a b", "ä", "a\0", "a\n", "-a",
                    "a--b", "readme.md/..", "readme"]})  # fmt: skip
def test_a_name_is_no_path(slug):
    with pytest.raises(PresetError, match="the name must be small letters"):
        save_lesson(slug, EXAMPLE)
    assert list(Path(library.teachers_folder()).parent.iterdir()) == []


def test_a_file_is_replaced_only_if_that_was_said(folder):
    save_lesson("my-lesson", EXAMPLE)
    with pytest.raises(FileExistsAlreadyError, match=r"there is a lesson of the name my-lesson\.md already"):
        save_lesson("my-lesson", OTHER)
    assert (folder / "my-lesson.md").read_text(encoding="utf-8") == EXAMPLE
    save_lesson("my-lesson", OTHER, replace=True)
    assert (folder / "my-lesson.md").read_text(encoding="utf-8") == OTHER
    assert len(list(folder.iterdir())) == 1


def test_a_file_that_came_in_the_meantime_is_not_replaced(monkeypatch, folder):
    folder.mkdir()
    monkeypatch.setattr(saving, "_check_place", lambda *_: (folder / "my-lesson.md").write_text("theirs"))
    with pytest.raises(FileExistsAlreadyError):
        save_lesson("my-lesson", EXAMPLE)
    assert (folder / "my-lesson.md").read_text() == "theirs" and len(list(folder.iterdir())) == 1


def test_a_link_in_the_folder_leads_nowhere_else(folder, tmp_path):
    folder.mkdir()
    (tmp_path / "secret").write_text("theirs")
    (folder / "my-lesson.md").symlink_to(tmp_path / "secret")
    save_lesson("my-lesson", EXAMPLE, replace=True)
    assert (tmp_path / "secret").read_text() == "theirs"


def test_what_no_lesson_can_be_is_not_kept(monkeypatch, folder):
    folder.mkdir()
    (folder / "taken.toml").write_text("")
    measured = EXAMPLE.replace('gate = "shown"', 'gate = "exact"\nmeasure = "ratio"\nabove = 0')
    for slug, text, says in (
        ("remember", EXAMPLE, "the course has a lesson called remember already"),
        ("taken", EXAMPLE, "taken.toml is called taken already"),
        ("mine", EXAMPLE.replace("order = 1\n", ""), "order is missing"),
        ("mine", measured, "gate must be shown"),
        ("mine", EXAMPLE + "x" * library.MAX_LESSON_BYTES, "a lesson has at most 200,000 bytes"),
    ):
        with pytest.raises(PresetError, match=says):
            save_lesson(slug, text)
    monkeypatch.setattr(saving, "MAX_FILES", 1)
    with pytest.raises(PresetError, match="the folder has 1 lessons already"):
        save_lesson("mine", EXAMPLE)
    assert [each.name for each in folder.iterdir()] == ["taken.toml"]


def test_a_folder_that_cannot_be_written_is_named(folder):
    folder.write_text("a file where the folder should be")
    with pytest.raises(PresetError, match=r"^my-lesson\.md: the folder of the lessons cannot be made: "):
        save_lesson("my-lesson", EXAMPLE)
