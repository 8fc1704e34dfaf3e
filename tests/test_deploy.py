"""What puts the playground on a server: as far as it can be tried without a container engine and without systemd."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.browser.conftest import free_port, wait_until_it_answers
from tests.test_layering import ROOT

CONTAINER = (ROOT / "deploy" / "Containerfile").read_text()
UNIT = (ROOT / "deploy" / "rnn-playground.service").read_text()
COPIED = [shlex.split(line)[1:] for line in CONTAINER.splitlines() if line.startswith("COPY ")]


def test_what_the_container_copies_is_there():
    assert COPIED and all((ROOT / source).exists() for *sources, _ in COPIED for source in sources)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_understands_the_unit(tmp_path):
    unit = tmp_path / "rnn-playground.service"
    folder = tmp_path / "rnn-playground"
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    (folder / "docs").symlink_to(ROOT / "docs")
    unit.write_text(UNIT.replace("/opt/rnn-playground", str(folder)))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    module = re.search(r"-m (\S+)", UNIT)[1]
    assert f'"-m", "{module}"' in CONTAINER  # both start the same


@pytest.mark.full
def test_the_command_of_the_container_serves_from_what_is_copied_alone(tmp_path: Path):
    for *sources, target in COPIED:
        for source in sources:
            place = tmp_path / target / (Path(source).name if target.endswith("/") else "")
            (shutil.copytree if (ROOT / source).is_dir() else shutil.copy)(ROOT / source, place)
    variables = dict(re.findall(r"(\w+)=(\S+)", re.search(r"^ENV (.*)", CONTAINER, re.MULTILINE)[1]))
    command = json.loads(re.search(r"^CMD (.*)", CONTAINER, re.MULTILINE)[1])
    port = free_port()
    environment = {"PATH": os.environ["PATH"], **variables, "PLAYGROUND_PORT": str(port), "PLAYGROUND_WORKERS": "1"}
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(
            [sys.executable, *command[1:]], cwd=tmp_path, env=environment, stdout=log, stderr=log
        ) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_it_answers(url, lambda: (tmp_path / "log").read_text() if process.poll() else "", "/health")
            with urllib.request.urlopen(f"{url}/health") as answer:
                assert json.loads(answer.read())["status"] == "ok"
            with urllib.request.urlopen(url) as answer:
                assert b"Streamlit" in answer.read()
        finally:
            process.terminate()
            process.wait(60)
    assert "event=started" in (tmp_path / "log").read_text()
