"""The command line: what is trained, on which data, and what is printed."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

import engine.data
from engine.__main__ import main
from engine.commands import progress
from engine.data import DataError, Dataset, Problem
from engine.recording import Recording
from engine.training import Trainer
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
    [
        ("remember", *SMALL),
        SMALL,
        ("--set", *SMALL),
        ("remember", "hidden_size=4", "--set", *SMALL[1:]),
        ("remember", "hidden_size=4", "--every", "100", *SMALL[1:]),
    ],
)
def test_settings_are_given_as_before_or_after_set(capsys, arguments):
    lines = printed(capsys, *arguments).splitlines()
    assert [line.split()[0] for line in lines] == ["0", "2"] and "held out" in lines[1]


def test_a_lesson_can_be_a_file(capsys, tmp_path):
    lesson = Path(__file__).parents[3] / "presets" / "remember.toml"
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


def test_a_recording_has_the_frames_and_every_update_and_is_trained_again(capsys, tmp_path):
    file = tmp_path / "run.zip"
    said = printed(capsys, "remember", "hidden_size=4", "--steps", "5", "--every", "2", "--record", str(file))
    recording = Recording.load(file)
    assert [frame.step for frame in recording.frames] == [0, 2, 4, 5]
    assert recording.updates["step"].tolist() == [1, 2, 3, 4, 5]
    assert said.splitlines()[-1] == f"Recorded in {file}."
    again = printed(capsys, str(file), "--every", "2").splitlines()
    assert again == said.splitlines()[:-1], "the same network again"


def test_json_lines_are_all_that_a_program_has_to_read(capsys, tmp_path):
    file = tmp_path / "run.zip"
    lines = printed(capsys, "remember", *SMALL, "--json", "--every", "1", "--record", str(file)).splitlines()
    *frames, end = map(json.loads, lines)
    assert [frame["step"] for frame in frames] == [0, 1, 2] and {frame["event"] for frame in frames} == {"frame"}
    recording = Recording.load(file)
    for told, frame in zip(frames, recording.frames, strict=True):
        assert told["probe_loss"] == frame.probe_loss and told["verdict"] == frame.diagnosis.kind
        assert told["evidence"] == frame.diagnosis.evidence and told["cure"] == frame.diagnosis.cure
    assert end == {"event": "end", "reason": "done", "step": 2, "sentence": "", "recording": str(file)}


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle of the third update."""
    advance = Trainer.advance

    def interrupt(trainer: Trainer) -> float:
        if trainer.step == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return advance(trainer)

    monkeypatch.setattr(Trainer, "advance", interrupt)


@pytest.mark.usefixtures("interrupted")
def test_ctrl_c_keeps_what_there_is(capsys, tmp_path):
    file, before = tmp_path / "run.zip", signal.getsignal(signal.SIGINT)
    assert main(["train", "remember", "hidden_size=4", "--steps", "9", "--record", str(file)]) == 130
    assert [frame.step for frame in Recording.load(file).frames] == [0, 3], "the update was made to its end"
    assert "Stopped after 3 of 9 updates." in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) == before


def test_an_update_that_is_not_finite_has_an_exit_code_of_its_own(capsys, tmp_path):
    file = tmp_path / "run.zip"
    assert main(["train", "failure-nan", "--record", str(file), "--json"]) == 1
    end = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert end["reason"] == "not_finite" and "was not made" in end["sentence"]
    assert Recording.load(file).frames[0].step == 0


def test_where_nothing_can_be_written_nothing_is_trained(capsys, tmp_path):
    for name, says in ((tmp_path / "no" / "run.zip", "No such file"), (tmp_path, "must end with .zip")):
        assert main(["train", "remember", *SMALL, "--record", str(name)]) == 2
        out, err = capsys.readouterr()
        assert out == "" and says in err
    assert main(["train", "remember", "cell=none", "--record", str(tmp_path / "run.zip")]) == 2
    assert list(tmp_path.iterdir()) == [], "no empty file is left behind"


def test_the_bar_says_how_far_it_is():
    assert progress.bar(0, 100, 5.0) == "·" * 30 + " 0 of 100"
    assert progress.bar(50, 2000, 3.0) == "█" + "·" * 29 + " 50 of 2,000  about 117 s left"
    assert progress.bar(100, 100, 9.0).startswith("█" * 30 + " 100 of 100")


def test_on_a_terminal_the_bar_is_drawn_below_the_lines(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    main(["train", "remember", *SMALL])
    err = capsys.readouterr().err
    assert "1 of 2" in err and err.endswith(progress.CLEAR)
