"""`python -m engine sweep`: a file in, a table out; and the same table after everything was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from engine.__main__ import main

ROOT = Path(__file__).parents[3]
FILE = """
updates = 3000
measure_every = 500
seeds = [0, 1, 2]
[experiment]
task = "adding"
cell = "rnn"
hidden_size = 16
seq_len = 30
[axes]
init_gain = [0.5, 1.0]
"""


def test_a_wrong_file_ends_with_a_sentence(tmp_path, capsys):
    file = tmp_path / "mine.toml"
    out = ["--out", str(tmp_path / "runs.parquet")]
    assert main(["sweep", str(file), *out]) == 2
    assert "cannot be read as a sweep" in capsys.readouterr().err
    file.write_text("updates = 0")
    assert main(["sweep", str(file), *out]) == 2
    assert capsys.readouterr().err == f"{file}: updates must be a whole number from 1 to 10,000,000, but got 0.\n"
    file.write_text("updates = 1")
    assert main(["sweep", str(file), *out, "--workers", "0"]) == 2
    assert "--workers must be" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["mine.toml"]


@pytest.mark.full
def test_after_everything_was_killed_the_table_is_that_of_an_undisturbed_sweep(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(FILE)
    killed, undisturbed = tmp_path / "killed.parquet", tmp_path / "undisturbed.parquet"
    process = subprocess.Popen(command(file, killed), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert any("left" in line for line in process.stdout)  # at least one stretch is on disk
    workers = (Path("/proc") / str(process.pid) / "task" / str(process.pid) / "children").read_text().split()
    assert workers
    for pid in (process.pid, *map(int, workers)):
        os.kill(pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not killed.exists()
    for out in (killed, undisturbed):
        subprocess.run(command(file, out), cwd=ROOT, check=True, capture_output=True)
    resumed, expected = (pd.read_parquet(out).drop(columns="seconds") for out in (killed, undisturbed))
    pd.testing.assert_frame_equal(resumed, expected, check_exact=True)
    assert len(resumed) == 6 * 7


def command(file: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "engine", "sweep", str(file), "--out", str(out), "--workers", "2"]
