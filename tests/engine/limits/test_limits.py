"""The limits: their defaults, what a file changes, and what it cannot."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from engine.limits import LIMITS, Limits
from engine.limits.settings_file import VARIABLE, SettingsError, filled, pass_on, settings_file
from tests.test_layering import ROOT


@pytest.fixture(autouse=True)
def nothing_is_said(monkeypatch, tmp_path):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)


def test_every_limit_is_within_its_own_range_and_says_what_it_is():
    for field in dataclasses.fields(Limits):
        assert field.metadata["range"].holds(field.default) and field.metadata["says"], field.name
    assert filled(Limits, "limits") == Limits()


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path):
    (tmp_path / "playground.toml").write_text("[limits]\ntabs_per_visitor = 3\nreading_seconds = 2.5\n")
    assert filled(Limits, "limits") == Limits(tabs_per_visitor=3, reading_seconds=2.5)


@pytest.mark.parametrize("field", dataclasses.fields(Limits), ids=lambda field: field.name)
def test_a_wrong_value_is_refused_with_name_value_and_what_is_accepted(field):
    accepted = field.metadata["range"]
    for wrong in ("many", None, True, [], accepted.low - 1, accepted.high + 1, float("nan")):
        with pytest.raises(SettingsError) as error:
            Limits(**{field.name: wrong})
        assert str(error.value) == f"limits.{field.name} must be {accepted}, but got {wrong!r}."
    if accepted.whole:
        with pytest.raises(SettingsError):
            Limits(**{field.name: accepted.low + 0.5})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[limits]\ntabs_per_visiter = 3\n", "did you mean limits.tabs_per_visitor"),
        ("[limits]\nzzz = 3\n", "one of columns, connections"),
        ("[limit]\ntabs = 3\n", "one of the tables [server], [limits]"),
        ("limits = 3\n", "one of the tables"),
        ("tabs = 3\n", "one of the tables"),
        ("[limits\n", "a file in TOML"),
        ("[limits]\ntabs = '3'\n", "limits.tabs must be a whole number from 1 to 100,000, but got '3'."),
    ],
)
def test_what_the_file_says_wrongly_is_named(tmp_path, content, says):
    (tmp_path / "playground.toml").write_text(content)
    with pytest.raises(SettingsError, match=r"but got") as error:
        filled(Limits, "limits")
    assert says in str(error.value)


def test_the_environment_names_the_file_and_a_name_without_one_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none.toml"))
    with pytest.raises(SettingsError, match=f"{VARIABLE} must be the path of a file that is there"):
        settings_file()
    (tmp_path / "other.toml").write_text("[limits]\ntabs = 7\n")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "other.toml"))
    assert filled(Limits, "limits").tabs == 7


def test_a_process_that_is_started_elsewhere_has_the_same_limits(tmp_path, monkeypatch):
    (tmp_path / "playground.toml").write_text(
        "[limits]\nrows = 1234\nmultiply_adds = 3e9\nreading_megabytes = 1024\nfile_megabytes = 7\nforget_after = 90\n"
    )
    monkeypatch.setenv(VARIABLE, "")
    pass_on()
    script = (
        "from engine.data.limits import MAX_ROWS, MAX_FILE_BYTES; from engine.update_cost import ONE_CORE;"
        "from engine.reading.reading import MEMORY; from app.slot_registry import FORGET_AFTER;"
        "print(MAX_ROWS, MAX_FILE_BYTES, ONE_CORE.multiply_adds, MEMORY, FORGET_AFTER)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1234", "7000000", "3000000000.0", str(2**30), "90"]


def test_the_limits_of_this_process_are_those_of_no_file():
    assert Limits() == LIMITS


def test_every_limit_stands_in_the_docs_as_it_is():
    written = (ROOT / "docs" / "serving.md").read_text()
    for field in dataclasses.fields(Limits):
        assert f"| `{field.name}` | {field.default:,.12g} | {field.metadata['says']} |" in written, field.name
