"""The command line: what is trained, on which data, and what is printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import engine.data
from engine.__main__ import main
from engine.data import DataError, Dataset, Problem
from tests.engine.lesson_data import LESSON, SALES
from tests.engine.own_data import series

SMALL = ("hidden_size=4", "batch_size=4", "steps=2")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Instead of reading a file: remembers what was to be read."""
    asked: dict[str, Any] = {}

    def read(source: Any, kind: str | None = None, **choices: Any) -> Dataset:
        asked.update(source=source, kind=kind, choices=choices)
        if kind == "pairs":
            raise DataError("Line 7 has one column where two are expected.", 7)
        made = series()
        object.__setattr__(made, "problems", (Problem(4, "sales", "Line 4 lacks a value: the last one is held."),))
        return made

    monkeypatch.setattr(engine.data, "read", read, raising=False)
    return asked


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["train", *arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [("remember", *SMALL), SMALL, ("--set", *SMALL), ("remember", "hidden_size=4", "--set", *SMALL[1:])],
)
def test_settings_are_given_as_before_or_after_set(capsys, arguments):
    lines = printed(capsys, *arguments).splitlines()
    assert [line.split()[0] for line in lines] == ["0", "2"] and "held out" in lines[1]


def test_a_lesson_can_be_a_file(capsys, tmp_path):
    lesson = Path(__file__).parents[2] / "presets" / "remember.toml"
    copied = tmp_path / "mine.toml"
    copied.write_text(lesson.read_text())
    assert printed(capsys, str(copied), *SMALL) == printed(capsys, "remember", *SMALL)
    assert main(["train", str(tmp_path / "other.toml")]) == 2
    assert "cannot be read as a lesson" in capsys.readouterr().err


def test_a_lesson_file_is_trained_on_the_data_beside_it(capsys, tmp_path):
    (tmp_path / "season.toml").write_text(LESSON)
    (tmp_path / "sales.csv").write_text(SALES)
    said = printed(capsys, str(tmp_path / "season.toml"), "steps=2")
    assert "held-out sequences" in said and "this network" in said
    (tmp_path / "sales.csv").write_text("month,sales\n2010-01,5\n")
    assert main(["train", str(tmp_path / "season.toml")]) == 2
    assert capsys.readouterr().err.startswith("season.toml, data: sales.csv, line 2: There is only one row")


def test_on_own_data_it_says_what_was_understood_and_ends_with_the_metric_beside_the_baselines(capsys, asked):
    said = printed(capsys, "--data", "sales.csv", "--target", "sales", "--choose", "decimal=,", "--set", *SMALL)
    assert asked == {"source": Path("sales.csv"), "kind": None, "choices": {"target": "sales", "decimal": ","}}
    first, *rest = said.splitlines()
    assert first == "sales.csv: series" and "    rows: 60" in rest
    assert "  - Line 4 lacks a value: the last one is held." in rest
    assert "           0.4  the value before  (the one to beat)" in rest, "before training, of all that is held out"
    at = rest.index("On 256 held-out sequences, mean absolute error of sales:")
    assert rest[at + 1].endswith("this network") and "the value before" in rest[at + 2]
    network, *simple = (float(line.split()[0]) for line in rest[at + 1 : -1])
    beaten = sum(network < value for value in simple)
    assert rest[-1] == ("It beats none of the 2 simple answers.", "It beats 1 of the 2 simple answers.",
                        "It beats every simple answer.")[beaten]  # fmt: skip
    assert sum(line.endswith("(better)") for line in rest) == 2 - beaten


def test_a_lessons_network_can_be_trained_on_own_data(capsys, asked):
    said = printed(capsys, "remember", *SMALL, "--data", "a.csv", "--data", "b.csv", "--choose", "kind=series")
    assert asked["source"] == [Path("a.csv"), Path("b.csv")] and asked["kind"] == "series"
    assert "this network" in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--data", "a.csv", "--choose", "kind=pairs"), "Line 7 has one column where two are expected."),
        (("--target", "sales"), "--target says something of your own data, so it needs --data FILE."),
        (("--data", "a.csv", "cell=none"), "cell must be"),
        (("sunspot", "--data", "a.csv"), "There is no preset 'sunspot'"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(capsys, asked, arguments, sentence):
    assert main(["train", *arguments]) == 2
    assert sentence in capsys.readouterr().err
