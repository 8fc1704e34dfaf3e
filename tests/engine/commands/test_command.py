"""What all commands promise: help with an example that can be typed, and one sentence for what cannot be used."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from engine.__main__ import main
from engine.commands import screen
from engine.screen import FILES, Server, free_port
from tests.engine.commands.test_diagnose import HEALTHY, recorded

ROOT = Path(__file__).parents[3]

COMMANDS = ("run", "open", "train", "watch", "diagnose", "sweep", "tasks", "presets", "settings", "claims", "cures")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example_and_the_exit_codes(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0 and "exit codes:" in said
    examples = [line for line in said.splitlines() if line.startswith(f"  python -m engine {command}")]
    assert examples and "python -m engine" in said.split("examples:")[1]


def test_the_help_lists_the_commands(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert [command for command in COMMANDS if f"\n    {command} " not in said] == []


WRONG = (
    "", "nothing", "train --every x", "train --every 0", "train --threads 0", "train --steps -1", "train --colour red",
    "train nothing", "train nothing.toml", "train nothing.zip", "train remember cell=rnm", "train remember colour=red",
    "train remember hidden_size=99999", "train remember --target x", "train --data nothing.csv", "train a b",
    "diagnose",
    "diagnose nothing.zip", "diagnose /", "open", "open nothing.zip", "open nothing.txt", "open a.zip b.zip c.zip",
    "run --port x", "run --port 99999", "run --lessons nowhere", "watch", "watch nothing.py", "sweep nothing.toml",
    "sweep nothing.toml --out x.parquet", "sweep nothing.toml --out x.csv", "claims nothing", "cures --half whole",
)  # fmt: skip


def test_what_cannot_be_used_is_refused_in_one_sentence(capsys, tmp_path, monkeypatch, subtests):
    monkeypatch.chdir(tmp_path)
    for line in WRONG:
        with subtests.test(line):
            try:
                code = main(shlex.split(line))
            except SystemExit as ended:
                code = ended.code
            out, err = capsys.readouterr()
            assert code == 2 and not out
            assert err.count("\n") == 1 and err.rstrip().endswith((".", ")")), err
            assert "Traceback" not in err and "Error" not in err


def test_it_says_which_file_it_cannot_use(capsys, tmp_path):
    for name, line in (("bad.toml", "sweep {} --out x.parquet"), ("notes.txt", "diagnose {}")):
        file = tmp_path / name
        file.write_text("updates =")
        assert main(line.format(file).split()) == 2
        assert capsys.readouterr().err.startswith(f"{file}: ")


def test_a_reader_that_has_read_enough_is_no_error():
    """As `presets | head -1` does, but the pipe is closed before anything is written."""
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run([sys.executable, "-m", "engine", "presets"], cwd=ROOT, stdout=writes, stderr=subprocess.PIPE,
                          env={**os.environ, "PYTHONUNBUFFERED": "1"}, timeout=200)  # fmt: skip
    os.close(writes)
    assert done.returncode == 0 and done.stderr == b""


def test_the_server_is_told_what_to_open(monkeypatch, tmp_path, capsys):
    begun: list[Server] = []
    monkeypatch.setattr(Server, "take_over", lambda server: begun.append(server))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(screen.LESSONS, raising=False)
    (tmp_path / "lessons").mkdir()
    port = free_port()
    assert main(["run", "--port", str(port)]) == 0
    assert begun[0].told == {screen.LESSONS: str(tmp_path / "lessons")} and str(port) in begun[0].options
    file = recorded(tmp_path / "run.zip", HEALTHY, HEALTHY)
    assert main(["open", file]) == 0
    assert begun[1].told[FILES] == file
    assert f"open: {begun[1].told[screen.OPENS]}\n" == capsys.readouterr().err
